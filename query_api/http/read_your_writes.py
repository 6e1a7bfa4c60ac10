"""Read-your-writes: a read waits until its sources have taken in the positions it names.

A client sends the ``Log-Position`` that a command answered with. The checkpoints are read in the
round trip that reads the data, and before it: usually they have passed the position, and the data
is the answer. Otherwise Redis is polled, first after a millisecond, which is usually enough. A
parked event is not waited for: the answer names the source that parked it in ``Log-Parked``.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import BoundedSemaphore
from time import monotonic, sleep
from typing import Any, NamedTuple

from events.notifications import waiting_readers_channel
from events.position_token import HEADER, decode_positions
from infra import clients
from infra.backoff import Backoff
from infra.config import config
from infra.errors import Invalid, Unavailable
from infra.observability import count
from infra.redis_pipeline import ReadCommands, ReadPipeline
from projectors.parking.store import position_field, unapplied_key
from projectors.storage.read_model import ReadModel

DEFAULT_WAIT_SECONDS = 1
MOST_WAIT_SECONDS = 5
_FIRST_SLEEP, _LONGEST_SLEEP = 0.001, 0.02
_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*([^,;\s]*)", re.IGNORECASE)
_SECONDS = re.compile("[0-9]{1,4}")

# The other half of the threads keeps answering reads that don't wait.
_waiting_threads = BoundedSemaphore(max(1, config().server_threads // 2))


class AnswerSource(NamedTuple):
    """A read model that an answer is made from."""

    model: ReadModel
    is_built: bool = False
    """Whether the answer is derived data, which a builder makes from the model's state."""

    def offsets_key(self, partition: int) -> str:
        """The hash of the offsets that the answer has taken in."""
        shard = self.model.shard(partition)
        return shard.built_key if self.is_built else shard.checkpoints_key


class SourceLag(NamedTuple):
    """How many events a source is behind a position."""

    source: AnswerSource
    events: int


class PositionCheck(NamedTuple):
    """Which sources have not reached a position yet, and which have parked its event."""

    missing: Sequence[SourceLag]
    parked: frozenset[str]
    """Names of models that have passed a position and left its event out."""


class PositionWait:
    """Waits for positions in the sources of an answer; raises Invalid for malformed headers."""

    def __init__(self, positions: str, prefer: str, sources: Sequence[AnswerSource]) -> None:
        decoded = decode_positions(positions)
        self._checks = [(source, position) for source in sources for position in decoded]
        self._sources = sources
        self._seconds = wait_seconds(prefer)

    @property
    def commands(self) -> int:
        """The number of commands that ``enqueue`` adds."""
        return 2 * len(self._checks)

    def enqueue(self, pipe: ReadCommands) -> None:
        """Enqueue reads of checkpoints and parked events; must come before the data."""
        for source, position in self._checks:
            partition = position.partition
            pipe.hget(source.offsets_key(partition), str(partition))
            pipe.hget(unapplied_key(source.model.shard(partition)), position_field(position))

    def read(self, replies: Sequence[Any]) -> PositionCheck:
        """Evaluate the replies to the commands of ``enqueue``."""
        offsets, streams = replies[::2], replies[1::2]
        missing = [
            SourceLag(source, position.offset - int(offset or 0))
            for (source, position), offset in zip(self._checks, offsets, strict=True)
            if int(offset or 0) < position.offset
        ]
        parked = (
            source.model.name
            for (source, _), stream in zip(self._checks, streams, strict=True)
            if stream is not None
        )
        return PositionCheck(missing, frozenset(parked))

    def check(self) -> PositionCheck:
        """Check the positions now, in a round trip of its own."""
        pipe = ReadPipeline()
        self.enqueue(pipe)
        return self.read(pipe.execute(clients.redis()))

    def poll(self) -> PositionCheck:
        """Poll until all sources have passed all positions; raises Unavailable at the timeout."""
        with _waiting_thread():
            _wake_builders(self._sources)
            check = self._poll(until=monotonic() + self._seconds)
        count("marquee_waits_total", outcome="late" if check.missing else "reached")
        if check.missing:
            raise _late(check.missing)
        return check

    def _poll(self, *, until: float) -> PositionCheck:
        backoff = Backoff(_FIRST_SLEEP, _LONGEST_SLEEP)
        while (check := self.check()).missing and (left := until - monotonic()) > 0:
            sleep(min(backoff.next_seconds(), left))
        return check


def wait_seconds(prefer: str) -> int:
    """The ``wait`` of a Prefer header (RFC 7240); raises Invalid for no number or a large one."""
    preference = _WAIT.search(prefer)
    if preference is None:
        return DEFAULT_WAIT_SECONDS
    word = preference[1].strip('"')
    if not _SECONDS.fullmatch(word) or int(word) > MOST_WAIT_SECONDS:
        reason = f"wait must be a whole number of seconds, at most {MOST_WAIT_SECONDS}."
        raise Invalid("The Prefer header is invalid.", errors=[("Prefer", reason)])
    return int(word)


@contextmanager
def _waiting_thread() -> Iterator[None]:
    if not _waiting_threads.acquire(blocking=False):
        count("marquee_waits_total", outcome="crowded")
        raise Unavailable("Too many reads are waiting for a Log-Position. Try again in a moment.")
    try:
        yield
    finally:
        _waiting_threads.release()


def _wake_builders(sources: Sequence[AnswerSource]) -> None:
    """Wake idle builders: a read waits for their data."""
    for source in sources:
        if source.is_built:
            clients.redis().publish(waiting_readers_channel(), source.model.name)


def _late(missing: Sequence[SourceLag]) -> Unavailable:
    return Unavailable(
        "The read models have not reached the Log-Position yet. Try again.",
        errors=[
            (HEADER, f"{source.model.name} is {events} events behind") for source, events in missing
        ],
    )
