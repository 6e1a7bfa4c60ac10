"""Drops abandoned rebuilds that may hold events of an erased user.

``projectors.erasure.coordinator`` drops the unfinished rebuilds that it meets. A later rebuild
reads the user's events again and purges them when it reaches the erasure event, or at its end when
it shows the past. Interrupted before that, it would keep the data until it is resumed: so a stalled
one is dropped.
"""

from collections.abc import Callable, Sequence
from time import monotonic

from redis import Redis

from events.recorded import partition_of
from events.store import EventStore
from events.store.generations import Generation, RebuildInProgress, generations, rebuild_lock
from events.stream_names import erasure_of
from events.vault import erasures
from projectors.generations.garbage_collector import StillNeeded, drop
from projectors.generations.pointers import GenerationId, Pointers, PointerSnapshot
from projectors.registry import BY_NAME
from projectors.storage.read_model import ReadModel

PATIENCE_SECONDS = 600.0
"""For this long an interrupted rebuild can be resumed, even if it holds an erased user."""

_AT_ONCE = 1000


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
        unfinished = self._unfinished()
        ids = [(model.name, model.generation) for model in unfinished]
        self._progress = {id_: self._progress[id_] for id_ in ids if id_ in self._progress}
        for model in unfinished:
            if self._has_stalled(model):
                self._drop_if_erased(model)

    def _unfinished(self) -> list[ReadModel]:
        snapshot = self._pointers.snapshot()
        return [
            BY_NAME[each.model](self._redis, each.number)
            for each in generations(BY_NAME)
            if is_unfinished(each, snapshot)
        ]

    def _has_stalled(self, model: ReadModel) -> bool:
        id_, now = (model.name, model.generation), self._clock()
        at = model.checkpoints(self._store.partitions)
        before, since = self._progress.get(id_, (None, now))
        if at != before:
            since = now
        is_over = now - since >= PATIENCE_SECONDS
        self._progress[id_] = (at, now if is_over else since)
        return is_over

    def _drop_if_erased(self, model: ReadModel) -> None:
        try:
            with rebuild_lock([model.name]):
                if holds_erased(model, self._store):
                    drop(model, self._pointers)
        except (RebuildInProgress, StillNeeded):
            return  # it was resumed


def is_unfinished(generation: Generation, snapshot: PointerSnapshot) -> bool:
    """Whether a rebuild began it and has not finished."""
    return (
        generation.purpose != "live"
        and generation.finished_at is None
        and generation.dropped_at is None
        and not snapshot.holds(generation.model, generation.number)
    )


def holds_erased(model: ReadModel, store: EventStore) -> bool:
    """Whether it may hold events of a user whose erasure it has not applied."""
    at = model.checkpoints(store.partitions)
    after = None
    while some := erasures.user_ids(are_erased=True, after=after, limit=_AT_ONCE):
        for user_id in some:
            applied = at[partition_of(str(user_id), store.partitions)]
            history = store.read(erasure_of(user_id))
            if applied and history and applied < history[-1].offset:
                return True
        after = some[-1]
    return False
