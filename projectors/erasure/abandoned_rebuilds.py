"""Drops abandoned rebuilds that may hold events of an erased user.

``projectors.erasure.coordinator`` drops the unfinished rebuilds that it meets. A later rebuild
reads the user's events again and purges them when it reaches the erasure event, or at its end when
it shows the past. Interrupted before that, it would keep the data until it is resumed: so a stalled
one is dropped.
"""

from collections.abc import Callable, Sequence
from time import monotonic

from redis import Redis

from events.partition import partition_of
from events.store import EventStore
from events.store.generations import Generation, RebuildInProgress, generations, rebuild_lock
from events.stream_names import erasure_of
from events.vault import erasures
from projectors.generations.garbage_collector import StillNeeded, drop
from projectors.generations.pointers import GenerationId, Pointers, PointerSnapshot
from projectors.registry import BY_NAME
from projectors.storage.read_model import ReadModel

PATIENCE_SECONDS = 600.0
"""For so long an interrupted rebuild may be gone on with, whoever was erased."""

_AT_ONCE = 1000


class AbandonedRebuilds:
    """Watches those that stand still; safe to have in several processes."""

    def __init__(
        self, redis: Redis, store: EventStore, *, clock: Callable[[], float] = monotonic
    ) -> None:
        self._redis = redis
        self._store = store
        self._pointers = Pointers(redis)
        self._clock = clock
        self._stands: dict[GenerationId, tuple[Sequence[int], float]] = {}
        """How far each has come, and since when it has come no further."""

    def drop_stalled(self) -> None:
        """Drop those that stood still for long and hold somebody who was erased."""
        found = self._found()
        places = [(model.name, model.generation) for model in found]
        self._stands = {place: self._stands[place] for place in places if place in self._stands}
        for model in found:
            if self._stood_still(model):
                self._see_to(model)

    def _found(self) -> list[ReadModel]:
        seen = self._pointers.snapshot()
        return [
            BY_NAME[each.model](self._redis, each.number)
            for each in generations(BY_NAME)
            if is_half_made(each, seen)
        ]

    def _stood_still(self, model: ReadModel) -> bool:
        place, now = (model.name, model.generation), self._clock()
        at = model.checkpoints(self._store.partitions)
        before, since = self._stands.get(place, (None, now))
        if at != before:
            since = now
        is_over = now - since >= PATIENCE_SECONDS
        self._stands[place] = (at, now if is_over else since)
        return is_over

    def _see_to(self, model: ReadModel) -> None:
        try:
            with rebuild_lock([model.name]):
                if holds_erased(model, self._store):
                    drop(model, self._pointers)
        except (RebuildInProgress, StillNeeded):
            return  # somebody goes on with it


def is_half_made(found: Generation, seen: PointerSnapshot) -> bool:
    """Whether a rebuild began it and did not get it ready."""
    return (
        found.purpose != "live"
        and found.finished_at is None
        and found.dropped_at is None
        and not seen.holds(found.model, found.number)
    )


def holds_erased(model: ReadModel, store: EventStore) -> bool:
    """Whether it may have something of somebody, and not that they were erased."""
    at = model.checkpoints(store.partitions)
    after = None
    while some := erasures.user_ids(are_erased=True, after=after, limit=_AT_ONCE):
        for user_id in some:
            come = at[partition_of(str(user_id), store.partitions)]
            if come and any(come < said.offset for said in store.read(erasure_of(user_id))[-1:]):
                return True
        after = some[-1]
    return False
