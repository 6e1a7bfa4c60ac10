"""Erasure coordinator: purges erased users from every generation of every read model.

Generations that follow the log apply the erasure event by themselves. The others are handled here:
those of the past are purged; those that nothing needs or resumes are dropped. What cannot be done
yet is reported and done the next time. Each generation that is purged writes one report line.
"""

import logging
from collections.abc import Iterator
from time import monotonic
from typing import NamedTuple
from uuid import UUID

from redis import Redis

from events.recorded import Recorded
from events.store import EventStore
from events.store.generations import Generation, RebuildInProgress, generations, rebuild_lock
from events.stream_names import erasure_of
from events.vault import erasures
from projectors.erasure.purge import is_behind, purge, redact_parked
from projectors.errors import RetryLater
from projectors.generations.garbage_collector import StillNeeded, drop
from projectors.generations.pointers import Pointers, PointerSnapshot
from projectors.registry import BY_NAME
from projectors.storage.read_model import ReadModel

log = logging.getLogger(__name__)

KEPT_AFTER_SECONDS = 5.0
"""By then Redis has written to its file. Killed earlier, it restarts with older data."""

GONE = "gone"


class ErasureStatus(NamedTuple):
    """Whether one part of the platform still has data of an erased user."""

    name: str
    is_gone: bool
    detail: str


class _AllGone(NamedTuple):
    """The time since which all parts are purged, on one run of the Redis server."""

    server: str
    since: float


class ErasureCoordinator:
    """Purges erased users, and notes when they are gone for good."""

    def __init__(self, redis: Redis, store: EventStore) -> None:
        self._redis = redis
        self._store = store
        self._pointers = Pointers(redis)
        self._all_gone: dict[UUID, _AllGone] = {}

    def resume_all(self) -> None:
        """Purge every user whose erasure is not complete, as far as possible now."""
        for user_id in erasures.incomplete():
            try:
                self.purge_user(user_id)
            except RetryLater as error:
                log.warning("Purging %s is resumed later: %s", user_id, error)

    def purge_user(self, user_id: UUID) -> list[ErasureStatus]:
        """Purge a user as far as possible now; the status of each generation."""
        erasure = self._erasure_event(user_id)
        if erasure is None:
            return [ErasureStatus("log", is_gone=False, detail="has no erasure event of this user")]
        server = str(self._redis.info("server")["run_id"])
        parts = list(self._purge_generations(erasure, user_id))
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
        all_gone = self._all_gone.get(user_id)
        if all_gone is None or all_gone.server != server:
            all_gone = self._all_gone[user_id] = _AllGone(server, monotonic())
        if monotonic() - all_gone.since >= KEPT_AFTER_SECONDS:
            erasures.mark_gone(user_id)
            del self._all_gone[user_id]

    def _erasure_event(self, user_id: UUID) -> Recorded | None:
        """The last event that erases the user."""
        history = self._store.read(erasure_of(user_id))
        return history[-1] if history else None

    def _purge_generations(self, erasure: Recorded, user_id: UUID) -> Iterator[ErasureStatus]:
        pointers = self._pointers.snapshot()
        for generation in generations(BY_NAME):
            model = BY_NAME[generation.model](self._redis, generation.number)
            if generation.dropped_at is not None and not model.checkpoint(erasure.partition):
                continue  # dropped, and not back with a Redis that was killed
            yield _status(model, self._purge(model, generation, pointers, erasure, user_id))

    def _purge(
        self,
        model: ReadModel,
        generation: Generation,
        pointers: PointerSnapshot,
        erasure: Recorded,
        user_id: UUID,
    ) -> str:
        """Purge one generation; return why it is not purged yet, "" if it is."""
        if _is_followed(model, generation, pointers):
            why = is_behind(model, user_id, erasure.position)
        elif _is_past(model, generation, pointers):
            purge(model, user_id, erasure)
            why = ""
        else:
            return self._drop(model, generation, erasure)
        if not why:
            redact_parked(model, self._store, user_id, erasure.partition)
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


def _is_followed(model: ReadModel, generation: Generation, pointers: PointerSnapshot) -> bool:
    """Whether workers of this version of the code keep it level."""
    if generation.version != model.version:
        return False
    name, number = model.name, model.generation
    return (name, number) in pointers.kept or number in (
        pointers.live.get(name),
        pointers.coming.get(name),
        pointers.joining.get(name),
    )


def _is_past(model: ReadModel, generation: Generation, pointers: PointerSnapshot) -> bool:
    """Whether it shows a moment of the past, and this version of the code can purge it."""
    past = {number for (_, name), number in pointers.past.items() if name == model.name}
    return generation.version == model.version and generation.number in past


def _status(model: ReadModel, why: str) -> ErasureStatus:
    name = f"{model.name} {model.generation}"
    if why:
        return ErasureStatus(name, is_gone=False, detail=why)
    stays = f"; stays: {model.kept_after_erasure}" if model.kept_after_erasure else ""
    return ErasureStatus(name, is_gone=True, detail=f"{GONE}{stays}")


def purge_past_generation(model: ReadModel, store: EventStore) -> int:
    """Purge all erased users from a new generation of the past; how many there are."""
    count = 0
    after: UUID | None = None
    while some := erasures.user_ids(are_erased=True, after=after, limit=1000):
        for user_id in some:
            if history := store.read(erasure_of(user_id)):
                purge(model, user_id, history[-1])
                redact_parked(model, store, user_id, history[-1].partition)
                count += 1
        after = some[-1]
    return count
