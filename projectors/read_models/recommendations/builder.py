"""When is whose list made?

At once for those who said something; and for everyone, the oldest list first and some at a time,
when trends have moved, a movie was withdrawn or restored, or the list is some minutes old.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from heapq import nlargest
from operator import itemgetter
from typing import ClassVar

from redis.client import Pipeline
from redis.exceptions import WatchError

from projectors.building.dirty_marks import note_built
from projectors.building.duty_cycle import DutyCycle
from projectors.generations.live import Live, NotReady
from projectors.read_models.recommendations.candidate_snapshot import Market, Sources
from projectors.read_models.recommendations.candidates import is_material
from projectors.read_models.recommendations.genre_affinity import Trend
from projectors.read_models.recommendations.page import Item, choose, render
from projectors.read_models.recommendations.ranking import NOTHING, Said, read_said, recommended
from projectors.read_models.recommendations.read_model import (
    NOBODY,
    Listed,
    Recommendations,
    pack_listed,
)
from projectors.read_models.recommendations.verification import ListCheck
from projectors.read_models.recommendations.work_queue import (
    Waiting,
    clear,
    look,
    mark_everyone,
)
from projectors.storage.pagination import DEFAULT_LIMIT
from projectors.storage.shard import Shard

_INTERVAL_SECONDS = 0.5
_LONG_AGO = datetime.fromtimestamp(0, UTC)
_AT_ONCE = 50
_AT_ONCE_FOR_NOBODY = 1000
# Old lists are made again at 100 a second at most, so that they take little of a core.
_AGAIN_AT_ONCE = 10
_AGAIN_SECONDS = 0.1
_KEEP_LIST = timedelta(minutes=5)
_KEEP_MARKET = timedelta(seconds=60)
_LEAST_MARKET = timedelta(seconds=1)


class RecommendationsBuilder(DutyCycle):
    """Keeps everyone's list."""

    name: ClassVar[str] = Recommendations.name
    interval_seconds = _INTERVAL_SECONDS

    def __init__(self, recommendations: Recommendations, sources: Sources, partitions: int) -> None:
        super().__init__(pause_seconds=0.01)
        self._recommendations = recommendations
        self._sources = sources
        self._partitions: Sequence[int] = range(partitions)
        self._at_once = _AT_ONCE
        self._market: Market | None = None
        self._market_of: object = None
        self._moved_at = self._again_at = _LONG_AGO
        self._trends: Mapping[int, Trend] = {}
        self._turn = 0
        self._live = Live(recommendations.redis)
        self._may_begin = False

    def do_part(self, partitions: Sequence[int]) -> None:
        """Build only of these, many at once: nobody waits, and all that lists read is whole."""
        self._partitions = partitions
        self._at_once = _AT_ONCE_FOR_NOBODY
        self._may_begin = True

    def build(self, now: datetime) -> None:
        """See Builder."""
        with self.working():
            if not self._sources_are_there():
                return
            market = self._market or self._look_at_market(now)
            waiting = self._look(now)
            if lost := [found.shard for found in waiting if not found.is_whole]:
                mark_everyone(self._recommendations, lost)
                waiting = self._look(now)
            marked = self._make_marked(market, waiting, now)
            # Behind those who wait for their own words to count: it takes some 20 ms.
            old = self._make_oldest(self._look_at_market(now), waiting, now)
            self.interval_seconds = 0 if marked else _AGAIN_SECONDS if old else _INTERVAL_SECONDS

    def check(self, now: datetime) -> list[str]:
        """Which lists are inconsistent, a line each."""
        return ListCheck(self._recommendations).run()

    def _sources_are_there(self) -> bool:
        """Whether there is an answer, by some generation, from all that lists are made of.

        Made anew together, as after a loss of Redis, they are level later than what people said is;
        lists made before would be empty or poor, and stay so for minutes.
        """
        if not self._may_begin:
            with suppress(NotReady):
                for source in self._sources:
                    self._live.generation(source.name)
                self._may_begin = True
        return self._may_begin

    # ------------------------------------------------------------------------------ the market

    def _look_at_market(self, now: datetime) -> Market:
        before = self._market
        if before is not None and now - before.made_at < _LEAST_MARKET:
            return before
        seen = self._sources.version()
        if before is not None and seen == self._market_of and now - before.made_at < _KEEP_MARKET:
            return before
        market = self._market = Market(self._sources, now)
        self._market_of = seen
        is_other = before is not None and before.withdrawn != market.withdrawn
        if is_other or is_material(self._trends, market.candidates.trends):
            self._moved_at, self._trends = now, market.candidates.trends
        with self._recommendations.redis.pipeline(transaction=True) as pipe:
            self._write(pipe, self._recommendations.shard(0), {NOBODY: NOTHING}, market, now)
            pipe.execute()
        return market

    # ------------------------------------------------------------------------------ whose turn

    def _look(self, now: datetime) -> list[Waiting]:
        return look(
            self._recommendations,
            self._partitions,
            made_before=max(self._moved_at, now - _KEEP_LIST),
            limit=_AGAIN_AT_ONCE,
        )

    def _make_marked(self, market: Market, waiting: Sequence[Waiting], now: datetime) -> int:
        """Make the lists of those who said something; answers how many must wait.

        Some of every shard, and who spoke last first: a queue after an import holds nobody up.
        """
        each = max(1, self._at_once // max(1, sum(bool(found.marks) for found in waiting)))
        for found in waiting:
            some = dict(nlargest(each, found.marks.items(), key=itemgetter(1)))
            if not self._make(found.shard, some, market, now):
                continue
            clear(self._recommendations.redis, found.shard, some)
            if len(some) == len(found.marks) and found.built != found.checkpoints:
                note_built(
                    self._recommendations.redis, found.shard, found.checkpoints, late=found.late
                )
        return sum(max(0, len(found.marks) - each) for found in waiting)

    def _make_oldest(self, market: Market, waiting: Sequence[Waiting], now: datetime) -> int:
        """Make some old lists again, not too often; answers how many were known to be old."""
        left = _AGAIN_AT_ONCE if now >= self._again_at else 0
        if left:
            self._again_at = now + timedelta(seconds=_AGAIN_SECONDS)
        self._turn += 1
        for found in self._in_turn(waiting):
            old = found.oldest[:left]
            self._make(found.shard, old, market, now)
            left -= len(old)
        return sum(len(found.oldest) for found in waiting)

    def _in_turn(self, waiting: Sequence[Waiting]) -> Sequence[Waiting]:
        """All of them, every time beginning with another one."""
        first = self._turn % len(waiting)
        return [*waiting[first:], *waiting[:first]]

    # ------------------------------------------------------------------------------ lists

    def _make(self, shard: Shard, users: Collection[str], market: Market, now: datetime) -> bool:
        """Whether they are there; not, if another builder made one of them meanwhile.

        That one may know more than was read here, as while a generation changes hands.
        """
        if not users:
            return True
        redis = self._recommendations.redis
        with redis.pipeline(transaction=True) as pipe:
            pipe.watch(*(shard.derived("list", user) for user in users))  # type: ignore[no-untyped-call]  # of redis-py
            said = read_said(redis, shard, list(users))
            pipe.multi()
            self._write(pipe, shard, said, market, now)
            try:
                pipe.execute()
            except WatchError:
                return False
        return True

    def _write(
        self, pipe: Pipeline, shard: Shard, said: Mapping[str, Said], market: Market, now: datetime
    ) -> None:
        for user, opinions in said.items():
            names = [shard.derived("list", user), shard.derived("page", user)]
            if user != NOBODY and opinions == NOTHING:
                pipe.delete(*names)
                pipe.zrem(shard.derived("made"), user)
                continue
            items = recommended(opinions, market)
            pipe.set(names[0], pack_listed(Listed(now, items)))
            pipe.set(names[1], _first_page(items, market))
            if user != NOBODY:
                # Of a market that moves in this very look it is an old list already.
                pipe.zadd(shard.derived("made"), {user: market.made_at.timestamp()})


def _first_page(items: Sequence[Item], market: Market) -> bytes:
    chosen = choose(items, limit=DEFAULT_LIMIT)
    return render(chosen, market.cards_of(item.movie for item in chosen.items))
