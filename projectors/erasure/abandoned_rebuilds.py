"""Drops abandoned rebuilds that may hold events of an erased user.

``projectors.erasure.coordinator`` drops the unfinished rebuilds that it meets. A later rebuild
reads the user's events again and purges them when it reaches the erasure event, or at its end when
it shows the past. Interrupted before that, it would keep the data until it is resumed: so a stalled
one is dropped.
"""

from collections.abc import Callable, Sequence
from time import monotonic

from redis import Redis

from events.store import EventStore
from events.store.generations import Generation, RebuildInProgress, generations, rebuild_lock
from projectors.erasure.coordinator import erased_users
from projectors.generations.garbage_collector import StillNeeded, drop
from projectors.generations.pointers import GenerationId, Pointers, PointerSnapshot
from projectors.registry import BY_NAME
from projectors.storage.read_model import ReadModel

PATIENCE_SECONDS = 600.0
"""For this long an interrupted rebuild can be resumed, even if it holds an erased user."""


class AbandonedRebuilds:
    """Watches unfinished rebuilds for progress; may run in several processes."""

    def __init__(
        self, redis: Redis, store: EventStore, *, clock: Callable[[], float] = monotonic
    ) -> None:
        self._redis = redis
        self._store = store
        self._pointers = Pointers(redis)
        self._clock = clock
        self._progress: dict[GenerationId, tuple[Sequence[int], float]] = {}
        """The checkpoints of each, and since when they have not moved."""

    def drop_stalled(self) -> None:
        """Drop unfinished rebuilds that have stalled and hold an erased user."""
        snapshot, now = self._pointers.snapshot(), self._clock()
        unfinished = {
            (each.model, each.number): BY_NAME[each.model](self._redis, each.number)
            for each in generations(BY_NAME)
            if _is_unfinished(each, snapshot)
        }
        # Kept for all of them, even if the drop of one fails: the others' time goes on.
        self._progress = {id_: self._progress[id_] for id_ in unfinished.keys() & self._progress}
        for id_, model in unfinished.items():
            at = model.checkpoints(self._store.partitions)
            last, since = self._progress.get(id_, (None, now))
            has_stalled = at == last and now - since >= PATIENCE_SECONDS
            self._progress[id_] = at, since if at == last and not has_stalled else now
            if has_stalled:
                self._drop_if_erased(model)

    def _drop_if_erased(self, model: ReadModel) -> None:
        try:
            with rebuild_lock([model.name]):
                if _holds_erased(model, self._store):
                    drop(model, self._pointers)
        except (RebuildInProgress, StillNeeded):
            return  # it was resumed


def _is_unfinished(generation: Generation, snapshot: PointerSnapshot) -> bool:
    """Whether a rebuild began it and has not finished."""
    return (
        generation.purpose != "live"
        and generation.finished_at is None
        and generation.dropped_at is None
        and not snapshot.holds(generation.model, generation.number)
    )


def _holds_erased(model: ReadModel, store: EventStore) -> bool:
    """Whether it may hold events of a user whose erasure it has not applied."""
    at = model.checkpoints(store.partitions)
    return any(0 < at[erasure.partition] < erasure.offset for _, erasure in erased_users(store))
