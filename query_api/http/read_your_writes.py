"""Has what an answer is made of taken in what its reader did before?

A reader sends the ``Log-Position`` that a command answered with, and waits until then. It waits by
asking Redis again: the first time after a millisecond, because that is how long it mostly takes.
What a model has set aside it will not take in for long: that is not waited for, but said.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import BoundedSemaphore
from time import monotonic, sleep
from typing import NamedTuple

from events.notifications import waiting_readers_channel
from events.position_token import HEADER, decode_positions
from events.recorded import Position
from infra import clients
from infra.backoff import Backoff
from infra.config import config
from infra.errors import Invalid, Unavailable
from infra.observability import count
from infra.redis_pipeline import ReadPipeline
from projectors.parking.store import position_field, unapplied_key
from projectors.storage.read_model import ReadModel

DEFAULT_WAIT_SECONDS = 1
MOST_WAIT_SECONDS = 5
_FIRST_SLEEP, _LONGEST_SLEEP = 0.001, 0.02
_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*([^,;\s]*)", re.IGNORECASE)
_SECONDS = re.compile("[0-9]{1,4}")

# The other half keeps answering those who don't wait.
_places = BoundedSemaphore(max(1, config().server_threads // 2))


class AnswerSource(NamedTuple):
    """A read model that an answer is made of."""

    model: ReadModel
    is_built: bool = False
    """Whether the answer is what a builder made of the model's state."""

    def offsets_key(self, partition: int) -> str:
        """The hash that says how far it has come."""
        shard = self.model.shard(partition)
        return shard.built_key if self.is_built else shard.checkpoints_key


class SourceLag(NamedTuple):
    """What a source has not taken in yet."""

    source: AnswerSource
    events: int


class PositionCheck(NamedTuple):
    """What was found when all sources were asked."""

    missing: Sequence[SourceLag]
    parked: frozenset[str]
    """The models that have passed a position and left its event out."""


def wait(positions: str, prefer: str, sources: Sequence[AnswerSource]) -> frozenset[str]:
    """Return when all sources have passed all positions; raises Unavailable when they don't.

    The names of models in which one of the events is missing all the same, for it was set aside.
    """
    wanted, patience = decode_positions(positions), wait_seconds(prefer)
    seen = look(wanted, sources)
    if not seen.missing:
        return seen.parked
    with _place():
        _wish(sources)
        seen = _poll(wanted, sources, until=monotonic() + patience)
    count("marquee_waits_total", outcome="late" if seen.missing else "reached")
    if seen.missing:
        raise _late(seen.missing)
    return seen.parked


def wait_seconds(prefer: str) -> int:
    """How long a reader would wait (RFC 7240); raises Invalid for what can't be promised."""
    found = _WAIT.search(prefer)
    if found is None:
        return DEFAULT_WAIT_SECONDS
    word = found[1].strip('"')
    if not _SECONDS.fullmatch(word) or int(word) > MOST_WAIT_SECONDS:
        reason = f"wait is a whole number of seconds, at most {MOST_WAIT_SECONDS}."
        raise Invalid("Nobody can wait so long.", errors=[("Prefer", reason)])
    return int(word)


def look(wanted: Iterable[Position], sources: Sequence[AnswerSource]) -> PositionCheck:
    """What is still missing, by source, and what was set aside; one round trip."""
    asked = [(source, position) for source in sources for position in wanted]
    pipe = ReadPipeline()
    for source, position in asked:
        shard = source.model.shard(position.partition)
        pipe.hget(source.offsets_key(position.partition), str(position.partition))
        pipe.hget(unapplied_key(shard), position_field(position))
    found = pipe.execute(clients.redis())
    missing = [
        SourceLag(source, position.offset - int(offset or 0))
        for (source, position), offset in zip(asked, found[::2], strict=True)
        if int(offset or 0) < position.offset
    ]
    parked = (
        source.model.name
        for (source, _), stream in zip(asked, found[1::2], strict=True)
        if stream is not None
    )
    return PositionCheck(missing, frozenset(parked))


def _poll(
    wanted: Iterable[Position], sources: Sequence[AnswerSource], *, until: float
) -> PositionCheck:
    backoff = Backoff(_FIRST_SLEEP, _LONGEST_SLEEP)
    while (seen := look(wanted, sources)).missing and (left := until - monotonic()) > 0:
        sleep(min(backoff.next_seconds(), left))
    return seen


@contextmanager
def _place() -> Iterator[None]:
    if not _places.acquire(blocking=False):
        count("marquee_waits_total", outcome="crowded")
        raise Unavailable("Too many reads wait already. Try again in a moment.")
    try:
        yield
    finally:
        _places.release()


def _wish(sources: Sequence[AnswerSource]) -> None:
    """Say to builders that rest that somebody waits."""
    for source in sources:
        if source.is_built:
            clients.redis().publish(waiting_readers_channel(), source.model.name)


def _late(missing: Sequence[SourceLag]) -> Unavailable:
    return Unavailable(
        "What you wait for has not arrived yet.",
        errors=[
            (HEADER, f"{source.model.name} is {events} events behind") for source, events in missing
        ],
    )
