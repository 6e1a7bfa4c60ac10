"""Erasure coordinator: purges erased users from every generation of every read model.

Generations that follow the log apply the erasure event by themselves. The others are handled here:
those of the past are given its writes; those that nothing needs or resumes are dropped. What cannot
be done yet is reported and done the next time. Each purged generation writes one report line.
"""

import logging
from collections.abc import Iterator
from time import monotonic
from typing import NamedTuple
from uuid import UUID

from redis import Redis

from events.recorded import Position, Recorded
from events.store import EventStore
from events.store.generations import Generation, RebuildInProgress, generations, rebuild_lock
from events.stream_names import erasure_of
from events.vault import erasures
from projectors.errors import RetryLater
from projectors.generations.garbage_collector import StillNeeded, drop
from projectors.generations.pointers import Pointers, PointerSnapshot
from projectors.parking.retry import ParkedStreamKey, ParkedStreamRetry
from projectors.parking.store import (
    read_parked_events,
    read_parked_streams,
    read_skipped_events,
    redact_writes,
)
from projectors.registry import BY_NAME, WITH_BUILDER
from projectors.storage.read_model import ReadModel, leave_encrypted
from projectors.storage.shard import Shard, pack

log = logging.getLogger(__name__)

KEPT_AFTER_SECONDS = 5.0
"""By then Redis has written to its file. Killed earlier, it restarts with older data."""

GONE = "gone"
_NOTE = "the user was erased"


class ErasureStatus(NamedTuple):
    """Whether one part of the platform still has data of an erased user."""

    name: str
    is_gone: bool
    detail: str


class ErasureCoordinator:
    """Purges erased users, and notes when they are gone for good."""

    def __init__(self, redis: Redis, store: EventStore) -> None:
        self._redis = redis
        self._store = store
        self._pointers = Pointers(redis)
        self._all_gone: dict[UUID, tuple[str, float]] = {}
        """The run of the Redis server on which all parts are purged, and since when."""

    def resume_all(self) -> None:
        """Purge every user whose erasure is not complete, as far as possible now."""
        for user_id in erasures.incomplete():
            try:
                self.purge_user(user_id)
            except RetryLater as error:
                log.warning("Purging %s is resumed later: %s", user_id, error)

    def purge_user(self, user_id: UUID) -> list[ErasureStatus]:
        """Purge a user as far as possible now; the status of each generation."""
        history = self._store.read(erasure_of(user_id))
        if not history:
            return [ErasureStatus("log", is_gone=False, detail="has no erasure event of this user")]
        server = str(self._redis.info("server")["run_id"])
        parts = list(self._purge_generations(history[-1], user_id))
        for part in parts:
            if part.is_gone:
                erasures.add_report_line(user_id, part.name, part.detail)
        if all(part.is_gone for part in parts):
            self._note_when_gone(user_id, server)
        else:
            self._all_gone.pop(user_id, None)
        return parts

    def _note_when_gone(self, user_id: UUID, server: str) -> None:
        """Note them as gone once this run of the server has had nothing for long enough."""
        run, since = self._all_gone.get(user_id, ("", 0.0))
        if run != server:
            _, since = self._all_gone[user_id] = server, monotonic()
        if monotonic() - since >= KEPT_AFTER_SECONDS:
            erasures.mark_gone(user_id)
            del self._all_gone[user_id]

    def _purge_generations(self, erasure: Recorded, user_id: UUID) -> Iterator[ErasureStatus]:
        pointers = self._pointers.snapshot()
        for generation in generations(BY_NAME):
            model = BY_NAME[generation.model](self._redis, generation.number)
            if generation.dropped_at is not None and not model.checkpoint(erasure.partition):
                continue  # dropped, and not back with a Redis that was killed
            why = self._purge(model, generation, pointers, erasure, user_id)
            stays = f"; stays: {model.kept_after_erasure}" if model.kept_after_erasure else ""
            name = f"{model.name} {model.generation}"
            yield ErasureStatus(name, is_gone=not why, detail=why or f"{GONE}{stays}")

    def _purge(
        self,
        model: ReadModel,
        generation: Generation,
        pointers: PointerSnapshot,
        erasure: Recorded,
        user_id: UUID,
    ) -> str:
        """Purge one generation; return why it is not purged yet, "" if it is."""
        generation_id = model.name, model.generation
        if generation.version != model.version or not pointers.holds(*generation_id):
            return self._drop(model, generation, erasure)
        if not pointers.is_followed(*generation_id):
            _purge_past(model, self._store, user_id, erasure)
            return ""
        if not (why := _is_behind(model, user_id, erasure.position)):
            _redact_parked(model, self._store, user_id, erasure.partition)
        return why

    def _drop(self, model: ReadModel, generation: Generation, erasure: Recorded) -> str:
        """Drop a generation that no worker follows; return why not yet, "" if it is.

        A rebuild may have read the user's names already, though it has applied nothing yet.
        """
        try:
            with rebuild_lock([model.name]):
                if not model.checkpoint(erasure.partition):
                    return ""
                self._pointers.leave(model.name, model.generation)
                drop(model, self._pointers)
        except RebuildInProgress:
            return "is being rebuilt"
        except StillNeeded:
            return (
                f"answers in the format of version {generation.version} until the new version is"
                " built"
            )
        return ""


def purge_past_generation(model: ReadModel, store: EventStore) -> int:
    """Purge all erased users from a new generation of the past; how many there are."""
    count = 0
    for user_id, erasure in erased_users(store):
        _purge_past(model, store, user_id, erasure)
        count += 1
    return count


def erased_users(store: EventStore) -> Iterator[tuple[UUID, Recorded]]:
    """Every erased user, with the last event that erases them."""
    after: UUID | None = None
    while some := erasures.user_ids(are_erased=True, after=after, limit=1000):
        for user_id in some:
            if history := store.read(erasure_of(user_id)):
                yield user_id, history[-1]
        after = some[-1]


# ------------------------------------------------------------------------------ one generation


def _is_behind(model: ReadModel, user_id: UUID, erasure: Position) -> str:
    """The reason why a generation that follows the log is not purged yet; "" if it is."""
    partition, offset = erasure
    if model.checkpoint(partition) < offset:
        return "has not reached the erasure in the log"
    if erasure_of(user_id).name in _parked_streams(model, model.shard(partition)):
        return "has parked the erasure event: see manage.py parked"
    if type(model) in WITH_BUILDER and model.built(partition) < offset:
        return "is still being built"
    return ""


def _purge_past(model: ReadModel, store: EventStore, user_id: UUID, erasure: Recorded) -> None:
    """Purge a generation of the past, by the writes of the erasure event."""
    shard = model.shard(erasure.partition)
    marks = pack(model.unmark_writes(shard, str(user_id)))
    shard.overwrite([model.pack([erasure], leave_encrypted), marks])
    _redact_parked(model, store, user_id, erasure.partition)


def _redact_parked(model: ReadModel, store: EventStore, user_id: UUID, partition: int) -> None:
    """Skip the user's parked events and remove their contents."""
    shard, user = model.shard(partition), str(user_id)
    parked_retry = ParkedStreamRetry(model, store, leave_encrypted)
    for stream in _parked_streams(model, shard):
        waiting = read_parked_events(model.redis, shard, stream)
        if user in stream or any(user in event.data for event in waiting):
            parked_retry.redact(ParkedStreamKey(shard, stream), _NOTE)
    for skipped in read_skipped_events(model.redis, shard):
        if user in skipped.stream or user in skipped.entry.data:
            shard.overwrite([pack(redact_writes(shard, skipped.entry, _NOTE))])


def _parked_streams(model: ReadModel, shard: Shard) -> frozenset[str]:
    [parked] = read_parked_streams(model.redis, [shard])
    return parked.streams
