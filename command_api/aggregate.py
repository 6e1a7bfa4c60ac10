"""Command handler: load the stream, decide, append; decide again if the stream moved meanwhile."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial, reduce
from typing import Generic, TypeVar, cast

from events.catalogue import AnyEvent
from events.recorded import Origin, Position, Recorded, Stream, partition_of
from events.store import EventStore, WrongExpectedVersion
from infra.errors import Refused

C = TypeVar("C")
S = TypeVar("S")
E = TypeVar("E", bound=AnyEvent)

MAX_ATTEMPTS = 5
"""Each further attempt means that another command on the stream was appended first."""


@dataclass(frozen=True)
class Aggregate(Generic[C, S, E]):
    """A consistency boundary: its stream, and the pure rules over the stream's events."""

    stream: Callable[[C], Stream]
    initial: S
    decide: Callable[[C, S], Sequence[E]]
    evolve: Callable[[S, E], S]
    expects_new_stream: bool = False
    """Whether most commands are the first of their stream: the append is tried without a read."""
    decrypt: Callable[[Sequence[Recorded]], Sequence[Recorded]] | None = None
    """Decrypts personal fields before ``evolve``, for rules that compare texts."""
    evolve_all: Callable[[S, Iterable[E]], S] | None = None
    """Applies many events at once, where copying the state with each of them would be quadratic."""

    def state(self, history: Sequence[Recorded]) -> S:
        """Fold all events of a stream."""
        return self.fold(history, start=self.initial)

    def fold(self, events: Sequence[Recorded], *, start: S) -> S:
        decrypted = self.decrypt(events) if self.decrypt else events
        own = (cast("E", recorded.event) for recorded in decrypted)  # a stream holds one aggregate
        return self.evolve_all(start, own) if self.evolve_all else reduce(self.evolve, own, start)


@dataclass(frozen=True)
class Handled(Generic[S]):
    """A command's result: appended events (none if nothing changed), and the state after them."""

    events: Sequence[Recorded]
    state: S
    position: Position
    """Position of the stream's last event; offset 0 of its partition if the stream is empty."""


def handle(
    command: C,
    aggregate: Aggregate[C, S, E],
    store: EventStore,
    *,
    origin: Origin,
    occurred_at: datetime | None = None,
) -> Handled[S]:
    """Decide the command and append its events; raises WrongExpectedVersion after MAX_ATTEMPTS.

    ``occurred_at``: when it happened elsewhere; None: now.
    """
    stream = aggregate.stream(command)
    attempt = partial(_attempt, command, aggregate, store, origin=origin, occurred_at=occurred_at)
    if aggregate.expects_new_stream:
        # Saves a quarter of the time of a first rating. Only a successful append proves that the
        # stream is new: a refusal, or no event, may be wrong for the stream as it is.
        with suppress(Refused, WrongExpectedVersion):
            handled = attempt(())
            if handled.events:
                return handled
    for _ in range(MAX_ATTEMPTS - 1):
        with suppress(WrongExpectedVersion):
            return attempt(store.read(stream))
    return attempt(store.read(stream))


def _attempt(
    command: C,
    aggregate: Aggregate[C, S, E],
    store: EventStore,
    history: Sequence[Recorded],
    *,
    origin: Origin,
    occurred_at: datetime | None,
) -> Handled[S]:
    stream = aggregate.stream(command)
    state = aggregate.fold(history, start=aggregate.initial)
    events = aggregate.decide(command, state)
    appended = store.append(
        stream, events, expected=len(history), origin=origin, occurred_at=occurred_at
    )
    last = (appended or history)[-1:]
    return Handled(
        events=appended,
        state=aggregate.fold(appended, start=state),
        position=last[0].position if last else partition_start(stream, store),
    )


def partition_start(stream: Stream, store: EventStore) -> Position:
    """Return the position before the partition's first event, which every reader has reached."""
    return Position(partition_of(stream.owner, store.partitions), 0)
