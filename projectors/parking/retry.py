"""Retries, skips or redacts the parked events of a stream.

A stream's events are applied in order from its first, as they are in the log; each step removes the
events it applied. Events that come meanwhile are parked behind them, until a step finds none left:
from then on the workers apply the stream again. Workers and other retries may run at the same time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from events.recorded import Position, Recorded
from events.store import EventStore
from events.stream_names import erasure_of
from projectors.errors import RetryLater
from projectors.parking.bisect import isolate_failures
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
    skip_write,
)
from projectors.storage.read_model import Decrypt, ReadModel, leave_encrypted
from projectors.storage.shard import ParkedStreamsChanged, Shard, pack

_EVENTS_AT_ONCE = 200


class ParkedStreamKey(NamedTuple):
    shard: Shard
    stream: str


class RetryResult(NamedTuple):
    """How many events a retry applied, and why it ended."""

    applied: int
    left: int
    """Events that are still parked."""
    reason: str = ""
    """Why the first of them can't be applied."""


def parked_stream_keys(model: ReadModel, partitions: int) -> list[ParkedStreamKey]:
    """The parked streams of a model, sorted by name."""
    shards = model.shards(partitions)
    parked = read_parked_streams(model.redis, shards)
    keys = [
        ParkedStreamKey(shard, stream)
        for shard, of_shard in zip(shards, parked, strict=True)
        for stream in of_shard.streams
    ]
    return sorted(keys, key=lambda key: key.stream)


class ParkedStreamRetry:
    def __init__(self, model: ReadModel, store: EventStore, decrypt: Decrypt) -> None:
        self._model = model
        self._store = store
        self._decrypt = decrypt
        self._erasures: Mapping[UUID, Recorded] = {}

    def retry(self, key: ParkedStreamKey) -> RetryResult:
        """Apply parked events until none is left, or the first one fails again.

        Raises TRANSIENT_ERRORS.
        """
        applied = 0
        while parked := self._read(key):
            revision, events = parked
            count, failure = self._apply_some(key, revision, events[:_EVENTS_AT_ONCE])
            applied += count
            if failure:
                left = len(read_parked_events(self._model.redis, *key))
                return RetryResult(applied, left, failure.reason)
        return RetryResult(applied, 0)

    def skip(self, key: ParkedStreamKey, note: str, *, is_all: bool = False) -> int:
        """Skip the first parked event of a stream, or all of them; returns how many.

        Only those parked at the first read: if another process handles them, none is skipped.
        """
        offsets: frozenset[int] | None = None
        while parked := self._read(key):
            revision, events = parked
            if offsets is None:
                offsets = frozenset(event.offset for event in (events if is_all else events[:1]))
            skipped = [event for event in events if event.offset in offsets]
            if not skipped or self._commit_skipped(key, revision, skipped, note):
                return len(skipped)
        return 0

    def redact(self, key: ParkedStreamKey, note: str) -> int:
        """Skip all parked events of a stream and keep nothing of their data; returns how many."""
        while parked := self._read(key):
            revision, events = parked
            writes = [write for event in events for write in redact_writes(key.shard, event, note)]
            if _unpark(key, revision, events, [pack(writes)]):
                return len(events)
        return 0

    def _read(self, key: ParkedStreamKey) -> tuple[str, list[ParkedEvent]] | None:
        """The revision and the parked events; the revision is read first, so it is not newer."""
        revision = read_revision(self._model.redis, key.shard)
        events = read_parked_events(self._model.redis, *key)
        return (revision, events) if events else None

    def _commit_skipped(
        self, key: ParkedStreamKey, revision: str, events: Sequence[ParkedEvent], note: str
    ) -> bool:
        at = datetime.now(UTC)
        skipped = [SkippedEvent(stream=key.stream, entry=e, at=at, note=note) for e in events]
        notes = pack(skip_write(key.shard, event) for event in skipped)
        if _unpark(key, revision, events, [notes]):
            return True
        # A connection that is lost before the reply sends the script again: then it is done.
        stored = read_skipped_events(self._model.redis, key.shard)
        return all(event in stored for event in skipped)

    # ------------------------------------------------------------------------------ retry

    def _apply_some(
        self, key: ParkedStreamKey, revision: str, parked: Sequence[ParkedEvent]
    ) -> tuple[int, FailureReason | None]:
        """Apply events up to the first that fails; returns how many, and why that one failed."""
        events = list(self._recorded(parked))
        self._erasures = _latest_erasures(events, self._store)
        result = isolate_failures(events, (), self._pack, is_personal=self._model.decrypts)
        applied = parked[: len(parked) - len(result.parked)]
        if applied:
            positions = [Position(event.partition, event.offset) for event in applied]
            packed = [*result.packed, pack(applied_writes(key.shard, positions))]
            if not _unpark(key, revision, applied, packed, is_applied=bool(result.packed)):
                return 0, None  # another process was quicker: read again
        self._purge_again(events)
        failure = result.reasons.get(key.stream)
        if failure is not None:
            record_failed_retry(self._model.redis, *key, parked[len(applied)], failure)
        return len(applied), failure

    def _recorded(self, parked: Sequence[ParkedEvent]) -> Iterator[Recorded]:
        for event in parked:
            page = self._store.page(event.partition, after=event.offset - 1, limit=1)
            if not page or page[0].offset != event.offset:
                raise RetryLater(f"the log lacks {event.partition}:{event.offset}")
            yield page[0]

    def _pack(self, events: Sequence[Recorded]) -> bytes:
        """Pack the writes of events, without those of users who were erased later.

        In the order of the log an erasure comes last; a parked event is applied after it.
        """
        if self._model.purges_erased_users:
            events = [event for event in events if not _is_erased(event, self._erasures)]
        return self._model.pack(events, self._decrypt) if events else b""

    def _purge_again(self, events: Sequence[Recorded]) -> None:
        """Purge users who were erased during the step: their purge may have come before it."""
        if not self._model.purges_erased_users:
            return
        for user, erasure in _latest_erasures(events, self._store).items():
            if self._erasures.get(user) != erasure:
                packed = self._model.pack([erasure], leave_encrypted)
                self._model.shard(erasure.partition).overwrite([packed])


def _unpark(
    key: ParkedStreamKey,
    revision: str,
    events: Sequence[ParkedEvent],
    packed: Sequence[bytes],
    *,
    is_applied: bool = False,
) -> bool:
    """Unpark the events; return False if the parked streams changed meanwhile."""
    try:
        key.shard.unpark(
            events[0].partition,
            stream=key.stream,
            offsets=[event.offset for event in events],
            packed=packed,
            revision=revision,
            is_applied=is_applied,
        )
    except ParkedStreamsChanged:
        return False
    return True


# ------------------------------------------------------------------------------ erased users


def _latest_erasures(events: Iterable[Recorded], store: EventStore) -> Mapping[UUID, Recorded]:
    """The last event that erases each of the users of these events, if any."""
    users = {user for recorded in events if (user := _user_of(recorded)) is not None}
    histories = store.read_many([erasure_of(user) for user in users])
    return {
        user: history[-1] for user in users if (history := histories.get(erasure_of(user).name))
    }


def _is_erased(recorded: Recorded, erasures: Mapping[UUID, Recorded]) -> bool:
    """Whether the event's user was erased after it."""
    user = _user_of(recorded)
    erasure = erasures.get(user) if user else None
    return erasure is not None and recorded.offset < erasure.offset


def _user_of(recorded: Recorded) -> UUID | None:
    user: UUID | None = getattr(recorded.event, "user_id", None)
    return user
