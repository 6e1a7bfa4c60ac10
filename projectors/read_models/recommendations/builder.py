"""Builder of the recommendation lists.

Lists of users with new events are built at once. All others are rebuilt in turn, oldest first, when
trends have moved, a movie was withdrawn or restored, or the list is some minutes old.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from heapq import nlargest
from operator import itemgetter
from typing import ClassVar

from redis.client import Pipeline
from redis.exceptions import WatchError

from infra.config import config
from projectors.building.dirty_marks import note_built
from projectors.building.duty_cycle import DutyCycle
from projectors.generations.live import Live, NotReady
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.recommendations.candidate_snapshot import (
    CandidateSnapshot,
    CandidateSources,
)
from projectors.read_models.recommendations.candidates import is_material_change
from projectors.read_models.recommendations.genre_affinity import TrendScore
from projectors.read_models.recommendations.page import RecommendedMovie, paginate, render
from projectors.read_models.recommendations.ranking import (
    NO_TASTE,
    UserTaste,
    read_tastes,
    recommend,
)
from projectors.read_models.recommendations.read_model import (
    COLD_START,
    RecommendationList,
    Recommendations,
    encode_list,
)
from projectors.read_models.recommendations.verification import check_lists
from projectors.read_models.recommendations.work_queue import (
    ShardQueue,
    mark_all_users,
    read_queues,
    remove_marks,
)
from projectors.read_models.similarity.read_model import Similarity
from projectors.read_models.trending.read_model import Trending
from projectors.storage.pagination import DEFAULT_LIMIT
from projectors.storage.shard import Shard

_INTERVAL_SECONDS = 0.5
_LONG_AGO = datetime.fromtimestamp(0, UTC)
_AT_ONCE = 50
_AT_ONCE_IN_REBUILD = 1000
# Old lists are rebuilt at 100 a second at most, to take little of a core.
_OLD_AT_ONCE = 10
_OLD_PAUSE_SECONDS = 0.1
_LIST_MAX_AGE = timedelta(minutes=5)
_SNAPSHOT_MAX_AGE = timedelta(seconds=60)
_SNAPSHOT_MIN_AGE = timedelta(seconds=1)


class RecommendationsBuilder(DutyCycle):
    """Keeps every user's list up to date."""

    name: ClassVar[str] = Recommendations.name
    interval_seconds = _INTERVAL_SECONDS

    def __init__(
        self,
        recommendations: Recommendations,
        trending: Trending,
        movies: Movies,
        similarity: Similarity,
    ) -> None:
        super().__init__(pause_seconds=0.01)
        self._recommendations = recommendations
        self._sources = CandidateSources(trending, movies, similarity)
        self._partitions: Sequence[int] = range(config().partitions)
        self._at_once = _AT_ONCE
        self._snapshot: CandidateSnapshot | None = None
        self._snapshot_version: object = None
        self._moved_at = self._next_old_at = _LONG_AGO
        self._trends: Mapping[int, TrendScore] = {}
        self._turn = 0
        self._live = Live(recommendations.redis)
        self._may_begin = False

    def build_only(self, partitions: Sequence[int]) -> None:
        """Build only these partitions, many lists at once: for a rebuild, where no reader waits."""
        self._partitions = partitions
        self._at_once = _AT_ONCE_IN_REBUILD
        self._may_begin = True

    def build(self, now: datetime) -> None:
        with self.working():
            if not self._sources_are_ready():
                return
            snapshot = self._snapshot or self._current_snapshot(now)
            queues = self._read_queues(now)
            if lost := [queue.shard for queue in queues if not queue.is_whole]:
                mark_all_users(self._recommendations, lost)
                queues = self._read_queues(now)
            marked = self._build_marked(snapshot, queues, now)
            # After users who wait for their own events: a snapshot takes some 20 ms.
            old = self._build_oldest(self._current_snapshot(now), queues, now)
            self.interval_seconds = (
                0 if marked else _OLD_PAUSE_SECONDS if old else _INTERVAL_SECONDS
            )

    def check(self, now: datetime) -> list[str]:
        """Inconsistent lists, a line each."""
        return check_lists(self._recommendations)

    def _sources_are_ready(self) -> bool:
        """Whether all models that lists are built from have a live generation.

        When all are rebuilt together, as after a loss of Redis, they go live after this model;
        lists built earlier would be empty or poor, and stay so for minutes.
        """
        if not self._may_begin:
            with suppress(NotReady):
                for source in self._sources:
                    self._live.generation(source.name)
                self._may_begin = True
        return self._may_begin

    # ------------------------------------------------------------------------------ the snapshot

    def _current_snapshot(self, now: datetime) -> CandidateSnapshot:
        before = self._snapshot
        if before is not None and now - before.made_at < _SNAPSHOT_MIN_AGE:
            return before
        version = self._sources.version()
        if (
            before is not None
            and version == self._snapshot_version
            and now - before.made_at < _SNAPSHOT_MAX_AGE
        ):
            return before
        snapshot = self._snapshot = CandidateSnapshot(self._sources, now)
        self._snapshot_version = version
        has_other_withdrawn = before is not None and before.withdrawn != snapshot.withdrawn
        if has_other_withdrawn or is_material_change(self._trends, snapshot.candidates.trends):
            self._moved_at, self._trends = now, snapshot.candidates.trends
        with self._recommendations.redis.pipeline(transaction=True) as pipe:
            self._write(pipe, self._recommendations.shard(0), {COLD_START: NO_TASTE}, snapshot, now)
            pipe.execute()
        return snapshot

    # ------------------------------------------------------------------------------ queues

    def _read_queues(self, now: datetime) -> list[ShardQueue]:
        return read_queues(
            self._recommendations,
            self._partitions,
            made_before=max(self._moved_at, now - _LIST_MAX_AGE),
            limit=_OLD_AT_ONCE,
        )

    def _build_marked(
        self, snapshot: CandidateSnapshot, queues: Sequence[ShardQueue], now: datetime
    ) -> int:
        """Build lists of users with new events; return how many are left.

        Some of every shard, latest event first: the queue after an import delays no active user.
        """
        each = max(1, self._at_once // max(1, sum(bool(queue.marks) for queue in queues)))
        for queue in queues:
            some = dict(nlargest(each, queue.marks.items(), key=itemgetter(1)))
            if not self._build_lists(queue.shard, some, snapshot, now):
                continue
            remove_marks(self._recommendations.redis, queue.shard, some)
            if len(some) == len(queue.marks) and queue.built != queue.checkpoints:
                note_built(
                    self._recommendations.redis, queue.shard, queue.checkpoints, late=queue.late
                )
        return sum(max(0, len(queue.marks) - each) for queue in queues)

    def _build_oldest(
        self, snapshot: CandidateSnapshot, queues: Sequence[ShardQueue], now: datetime
    ) -> int:
        """Rebuild some old lists, rate-limited; return how many are known to be old."""
        left = _OLD_AT_ONCE if now >= self._next_old_at else 0
        if left:
            self._next_old_at = now + timedelta(seconds=_OLD_PAUSE_SECONDS)
        self._turn += 1
        first = self._turn % len(queues)  # another one each time
        for queue in (*queues[first:], *queues[:first]):
            old = queue.oldest[:left]
            self._build_lists(queue.shard, old, snapshot, now)
            left -= len(old)
        return sum(len(queue.oldest) for queue in queues)

    # ------------------------------------------------------------------------------ lists

    def _build_lists(
        self, shard: Shard, users: Collection[str], snapshot: CandidateSnapshot, now: datetime
    ) -> bool:
        """Build and write lists; False if another builder wrote one of them meanwhile.

        That one may have read newer events, as during a cut-over between generations.
        """
        if not users:
            return True
        redis = self._recommendations.redis
        with redis.pipeline(transaction=True) as pipe:
            pipe.watch(*(shard.derived("list", user) for user in users))  # type: ignore[no-untyped-call]  # of redis-py
            tastes = read_tastes(redis, shard, list(users))
            pipe.multi()
            self._write(pipe, shard, tastes, snapshot, now)
            try:
                pipe.execute()
            except WatchError:
                return False
        return True

    def _write(
        self,
        pipe: Pipeline,
        shard: Shard,
        tastes: Mapping[str, UserTaste],
        snapshot: CandidateSnapshot,
        now: datetime,
    ) -> None:
        for user, taste in tastes.items():
            names = [shard.derived("list", user), shard.derived("page", user)]
            if user != COLD_START and taste == NO_TASTE:
                pipe.delete(*names)
                pipe.zrem(shard.derived("made"), user)
                continue
            items = recommend(taste, snapshot)
            pipe.set(names[0], encode_list(RecommendationList(now, items)))
            pipe.set(names[1], _first_page(items, snapshot))
            if user != COLD_START:
                # Dated by its snapshot: if trends moved in this build, the list is old at once.
                pipe.zadd(shard.derived("made"), {user: snapshot.made_at.timestamp()})


def _first_page(items: Sequence[RecommendedMovie], snapshot: CandidateSnapshot) -> bytes:
    chosen = paginate(items, limit=DEFAULT_LIMIT)
    return render(chosen, snapshot.cards_of(item.movie for item in chosen.items))
