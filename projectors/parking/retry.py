"""How is what was parked taken in after all, or given up?

A stream's events are applied in order from its first, as they stand in the log, each step removing
what it applied. Those that come meanwhile are parked behind them, until a step finds none left:
from then on the workers take the stream in again. Workers and others who retry may be at work.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import NamedTuple
from uuid import UUID

from events.notifications import waiting_readers_channel
from events.recorded import Position, Recorded
from events.store import EventStore
from projectors.errors import RetryLater
from projectors.parking.bisect import isolate_failures
from projectors.parking.erased_events import is_erased, latest_erasures
from projectors.parking.store import (
    FailureReason,
    ParkedEvent,
    SkippedEvent,
    applied_writes,
    read_parked_events,
    read_parked_streams,
    read_revision,
    read_skipped_events,
    record_failed_retry,
    redact_writes,
    shards_of,
    skip_write,
)
from projectors.storage.read_model import Decrypt, ReadModel, leave_encrypted
from projectors.storage.shard import ParkedStreamsChanged, Shard, ShardPaused, pack

_AT_ONCE = 200
_HELD_SECONDS = 0.05
_LONGEST_HELD_SECONDS = 90.0


class ParkedStreamKey(NamedTuple):
    """A stream that is parked, and where."""

    shard: Shard
    stream: str


class RetryResult(NamedTuple):
    """What came of it."""

    taken: int
    left: int
    """Events that are still parked."""
    reason: str = ""
    """Why the first of them can't be applied."""


def parked_stream_keys(model: ReadModel, partitions: int) -> list[ParkedStreamKey]:
    """The streams of a model that are parked, by name."""
    shards = shards_of(model, partitions)
    found = read_parked_streams(model.redis, shards, {})
    all_ = (
        ParkedStreamKey(shard, stream)
        for shard, aside in zip(shards, found, strict=True)
        for stream in aside.streams
    )
    return sorted(all_, key=lambda place: place.stream)


class ParkedStreamRetry:
    """One generation's way back in."""

    def __init__(self, model: ReadModel, store: EventStore, decrypt: Decrypt) -> None:
        self._model = model
        self._store = store
        self._decrypt = decrypt
        self._erasures: Mapping[UUID, Recorded] = {}

    def retry(self, place: ParkedStreamKey) -> RetryResult:
        """Take the stream in until it is level with the workers, or its first event fails again.

        Raises TRANSIENT_ERRORS.
        """
        taken = 0
        while some := self._some(place):
            revision, waiting = some
            done, why = self._step(place, revision, waiting[:_AT_ONCE])
            taken += done
            if why:
                return RetryResult(
                    taken, len(read_parked_events(self._model.redis, *place)), why.reason
                )
        return RetryResult(taken, 0)

    def skip(self, place: ParkedStreamKey, note: str, *, is_all: bool = False) -> int:
        """Give up the stream's first parked event, or all there are; how many.

        Only what the first look finds: when somebody else sees to it meanwhile, nothing comes next.
        """
        chosen: frozenset[int] | None = None
        while some := self._some(place):
            revision, waiting = some
            if chosen is None:
                chosen = frozenset(entry.offset for entry in (waiting if is_all else waiting[:1]))
            given_up = [entry for entry in waiting if entry.offset in chosen]
            if not given_up or self._has_given_up(place, revision, given_up, note):
                return len(given_up)
        return 0

    def redact(self, place: ParkedStreamKey, note: str) -> int:
        """Give up all that is parked of the stream, so that nothing of what it said is kept."""
        while some := self._some(place):
            revision, waiting = some
            writes = [
                write for entry in waiting for write in redact_writes(place.shard, entry, note)
            ]
            if self._has_dropped(place, revision, waiting, [pack(writes)], is_applied=False):
                return len(waiting)
        return 0

    def wake_builders(self, dependents: Sequence[str]) -> None:
        """Wake the builders of the model and of the models, by name, that are built from it."""
        for name in (self._model.name, *dependents):
            self._model.redis.publish(waiting_readers_channel(), name)

    def _some(self, place: ParkedStreamKey) -> tuple[str, list[ParkedEvent]] | None:
        """What is parked of the stream, behind the revision that it is sure to belong to."""
        revision = read_revision(self._model.redis, place.shard)
        waiting = read_parked_events(self._model.redis, *place)
        return (revision, waiting) if waiting else None

    def _step(
        self, place: ParkedStreamKey, revision: str, waiting: Sequence[ParkedEvent]
    ) -> tuple[int, FailureReason | None]:
        """Apply what can be; how many were, and why the next one can't."""
        events = list(self._recorded(waiting))
        self._erasures = latest_erasures(events, self._store)
        sifted = isolate_failures(events, (), self._attempt, is_open=self._model.decrypts)
        done = waiting[: len(waiting) - len(sifted.aside)]
        if done and not self._has_unparked(place, revision, done, sifted.packed):
            return 0, None  # someone else was at work: see what there is now
        self._forget_again(events)
        why = sifted.failed.get(place.stream)
        if why is not None:
            record_failed_retry(self._model.redis, *place, waiting[len(done)], why)
        return len(done), why

    def _attempt(self, events: Sequence[Recorded]) -> bytes:
        if self._model.purges_erased_users:
            events = [event for event in events if not is_erased(event, self._erasures)]
        return self._model.pack(events, self._decrypt) if events else b""

    def _forget_again(self, events: Sequence[Recorded]) -> None:
        """Purge once more who was erased while this was taken in: that may have come first."""
        now = latest_erasures(events, self._store) if self._model.purges_erased_users else {}
        for person, said in now.items():
            if self._erasures.get(person) != said:
                self._model.shard(said.partition).overwrite(
                    [self._model.pack([said], leave_encrypted)]
                )

    def _recorded(self, waiting: Sequence[ParkedEvent]) -> Iterator[Recorded]:
        for entry in waiting:
            page = self._store.page(entry.partition, after=entry.offset - 1, limit=1)
            if not page or page[0].offset != entry.offset:
                raise RetryLater(f"the log lacks {entry.partition}:{entry.offset}")
            yield page[0]

    def _has_unparked(
        self,
        place: ParkedStreamKey,
        revision: str,
        done: Sequence[ParkedEvent],
        packed: Sequence[bytes],
    ) -> bool:
        positions = [Position(entry.partition, entry.offset) for entry in done]
        have = pack(applied_writes(place.shard, positions))
        return self._has_dropped(place, revision, done, [*packed, have], is_applied=bool(packed))

    def _has_given_up(
        self, place: ParkedStreamKey, revision: str, given_up: Sequence[ParkedEvent], note: str
    ) -> bool:
        at = datetime.now(UTC)
        gone = [
            SkippedEvent(stream=place.stream, entry=entry, at=at, note=note) for entry in given_up
        ]
        notes = [pack(skip_write(place.shard, one) for one in gone)]
        if self._has_dropped(place, revision, given_up, notes, is_applied=False):
            return True
        # A connection that is lost before the answer sends it again, and that finds it done.
        noted = read_skipped_events(self._model.redis, place.shard)
        return all(one in noted for one in gone)

    def _has_dropped(
        self,
        place: ParkedStreamKey,
        revision: str,
        dropped: Sequence[ParkedEvent],
        packed: Sequence[bytes],
        *,
        is_applied: bool,
    ) -> bool:
        return _unless_held(
            lambda: place.shard.unpark(
                dropped[0].partition,
                stream=place.stream,
                offsets=[entry.offset for entry in dropped],
                packed=packed,
                revision=revision,
                is_applied=is_applied,
            )
        )


def _unless_held(step: Callable[[], None]) -> bool:
    """Whether it was done; not when what is parked was changed meanwhile. Waits for a hold."""
    end = monotonic() + _LONGEST_HELD_SECONDS
    while True:
        try:
            step()
        except ParkedStreamsChanged:
            return False
        except ShardPaused:
            if monotonic() > end:
                raise RetryLater("the shard is held still for too long") from None
            sleep(_HELD_SECONDS)
        else:
            return True
