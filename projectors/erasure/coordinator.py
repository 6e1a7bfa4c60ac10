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
from projectors.erasure.purge import forget_parked, is_behind, purge
from projectors.errors import RetryLater
from projectors.generations.garbage_collector import StillNeeded, drop
from projectors.generations.pointers import Pointers, PointerSnapshot
from projectors.registry import BY_NAME
from projectors.storage.read_model import ReadModel

log = logging.getLogger(__name__)

KEPT_AFTER_SECONDS = 5.0
"""What Redis has done is in its file by then. One that is killed before comes back as it was."""

GONE = "gone"


class ErasureStatus(NamedTuple):
    """What one part of the platform says."""

    name: str
    is_gone: bool
    detail: str


class _Had(NamedTuple):
    """Since when a server had been found to have let go, all of it."""

    server: str
    since: float


class ErasureCoordinator:
    """Sees to it that everybody who is to be forgotten is."""

    def __init__(self, redis: Redis, store: EventStore) -> None:
        self._redis = redis
        self._store = store
        self._pointers = Pointers(redis)
        self._had: dict[UUID, _Had] = {}

    def resume_all(self) -> None:
        """Do what can be done now about everyone who is not gone yet."""
        for user_id in erasures.incomplete():
            try:
                self.purge_user(user_id)
            except RetryLater as fault:  # the others need not wait for it
                log.warning("Letting go of %s goes on later: %s", user_id, fault)

    def purge_user(self, user_id: UUID) -> list[ErasureStatus]:
        """Do what can be done now about somebody; what each part says."""
        said = self._said(user_id)
        if said is None:
            return [ErasureStatus("log", is_gone=False, detail="has no erasure event of this user")]
        server = str(self._redis.info("server")["run_id"])
        parts = list(self._parts(said, user_id))
        for part in parts:
            if part.is_gone:
                erasures.add_report_line(user_id, part.name, part.detail)
        if all(part.is_gone for part in parts):
            self._note(user_id, server)
        else:
            self._had.pop(user_id, None)
        return parts

    def _note(self, user_id: UUID, server: str) -> None:
        """Once this very server had let go at a look long enough ago, they are gone for good."""
        had = self._had.get(user_id)
        if had is None or had.server != server:
            had = self._had[user_id] = _Had(server, monotonic())
        if monotonic() - had.since >= KEPT_AFTER_SECONDS:
            erasures.mark_gone(user_id)
            del self._had[user_id]

    def _said(self, user_id: UUID) -> Recorded | None:
        """The last event that says so."""
        history = self._store.read(erasure_of(user_id))
        return history[-1] if history else None

    def _parts(self, said: Recorded, user_id: UUID) -> Iterator[ErasureStatus]:
        seen = self._pointers.snapshot()
        for found in generations(BY_NAME):
            model = BY_NAME[found.model](self._redis, found.number)
            if found.dropped_at is not None and not model.checkpoint(said.partition):
                continue  # nor did it come back with a Redis that was killed
            yield _part(model, self._see_to(model, found, seen, said, user_id))

    def _see_to(
        self,
        model: ReadModel,
        found: Generation,
        seen: PointerSnapshot,
        said: Recorded,
        user_id: UUID,
    ) -> str:
        """Why it has not let go yet; "" when it has."""
        if _is_followed(model, found, seen):
            why = is_behind(model, user_id, said.position)
        elif found.version == model.version and found.number in _of_the_past(model.name, seen):
            purge(model, user_id, said)
            why = ""
        else:
            return self._dropped(model, found, said)
        if not why:
            forget_parked(model, self._store, user_id, said.partition)
        return why

    def _dropped(self, model: ReadModel, found: Generation, said: Recorded) -> str:
        """Why what nobody follows can't go yet; "" when it is gone, or has nothing of them.

        Whoever fills it may have read their names already, though it has taken in nothing yet.
        """
        try:
            with rebuild_lock([model.name]):
                if not model.checkpoint(said.partition):
                    return ""
                self._pointers.leave(model.name, model.generation)
                drop(model, self._pointers)
        except RebuildInProgress:
            return "is being rebuilt"
        except StillNeeded:
            return (
                f"answers in the format of version {found.version} until the new version is built"
            )
        return ""


def _is_followed(model: ReadModel, found: Generation, seen: PointerSnapshot) -> bool:
    """Whether workers of this version of the code keep it level."""
    if found.version != model.version:
        return False
    name, number = model.name, model.generation
    return (name, number) in seen.kept or number in (
        seen.live.get(name),
        seen.coming.get(name),
        seen.joining.get(name),
    )


def _of_the_past(name: str, seen: PointerSnapshot) -> set[int]:
    return {number for (_, model), number in seen.past.items() if model == name}


def _part(model: ReadModel, why: str) -> ErasureStatus:
    name = f"{model.name} {model.generation}"
    if why:
        return ErasureStatus(name, is_gone=False, detail=why)
    stays = f"; stays: {model.kept_after_erasure}" if model.kept_after_erasure else ""
    return ErasureStatus(name, is_gone=True, detail=f"{GONE}{stays}")


def purge_of_the_past(model: ReadModel, store: EventStore) -> int:
    """Let a new moment of the past forget all who were erased since; how many ever were."""
    count = 0
    after: UUID | None = None
    while some := erasures.user_ids(are_erased=True, after=after, limit=1000):
        for user_id in some:
            if history := store.read(erasure_of(user_id)):
                purge(model, user_id, history[-1])
                forget_parked(model, store, user_id, history[-1].partition)
                count += 1
        after = some[-1]
    return count
