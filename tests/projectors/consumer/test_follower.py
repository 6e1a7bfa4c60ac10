"""Follower: duplicates, gaps, back-off and lost checkpoints."""

from collections.abc import Iterable, Sequence
from typing import ClassVar
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY
from redis import Redis

from events.catalogue import MovieRated
from events.recorded import Origin, Recorded, Stream
from projectors.consumer.follower import Follower
from projectors.errors import RetryLater, StopProjector
from projectors.storage.read_model import ReadModel
from projectors.storage.shard import Shard, Write
from tests.fixtures.memory_store import MemoryStore

ANN = UUID(int=1)


class Tally(ReadModel):
    """Counts ratings; waits for one movie."""

    name: ClassVar[str] = "tally"
    by_partition: ClassVar[bool] = False
    retried_movie: int | None = None

    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        for recorded in batch:
            assert isinstance(recorded.event, MovieRated)
            if recorded.event.movie_id == self.retried_movie:
                raise RetryLater("a server is unavailable")
        yield ("HINCRBY", shard.state("ratings"), "count", len(batch))

    def count(self) -> int:
        return int(self.redis.hget(self.shard(0).state("ratings"), "count") or 0)


@pytest.fixture
def tally(redis_url) -> Iterable[Tally]:
    with Redis.from_url(redis_url) as redis:
        yield Tally(redis, 1)


@pytest.fixture
def long_back_off(monkeypatch) -> None:
    """A back-off that outlasts the test, on a slow machine, too."""
    monkeypatch.setattr("projectors.consumer.follower._FIRST_DELAY_SECONDS", 60.0)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(1)


def rate(store: MemoryStore, count: int) -> list[Recorded]:
    recorded: list[Recorded] = []
    for movie in range(count):
        recorded += store.append(
            Stream(f"rating-{ANN}-{uuid4()}", str(ANN)),
            [MovieRated(user_id=ANN, movie_id=movie, score=8)],
            expected=0,
            origin=Origin(correlation_id=uuid4()),
        )
    return recorded


def synced_follower(tally: Tally, store: MemoryStore) -> Follower:
    follower = Follower(tally, store)
    follower.sync(store.heads())
    return follower


def gaps() -> float:
    """The gaps counted so far, by all tests."""
    return REGISTRY.get_sample_value("marquee_gaps_total", {"model": Tally.name}) or 0.0


def test_follower_applies_redelivered_batch_once(tally, store):
    follower, before = synced_follower(tally, store), gaps()
    batch = rate(store, 5)
    follower.process(batch)
    follower.process(batch)
    assert (tally.count(), follower.checkpoints, gaps()) == (5, [5], before)


def test_follower_applies_only_new_events_of_overlapping_batch(tally, store):
    follower = synced_follower(tally, store)
    batch = rate(store, 5)
    follower.process(batch[:3])
    follower.process(batch[1:])
    assert tally.count() == 5


def test_follower_fills_gap_from_log(tally, store):
    follower, before = synced_follower(tally, store), gaps()
    batch = rate(store, 2500)
    follower.process(batch[:1])
    follower.process(batch[-1:])
    assert (tally.count(), follower.checkpoints, gaps()) == (2500, [2500], before + 1)


def test_follower_fills_gap_at_start_of_log(tally, store):
    follower = synced_follower(tally, store)
    follower.process(rate(store, 3)[2:])
    assert tally.count() == 3


def test_follower_adopts_checkpoint_of_faster_worker(tally, store):
    first, second = synced_follower(tally, store), synced_follower(tally, store)
    batch = rate(store, 4)
    first.process(batch)
    second.process(batch[:2])
    assert tally.count() == 4
    assert (second.checkpoints, second.behind) == ([4], {0})


def test_follower_reads_log_again_after_redis_lost_its_data(tally, store):
    follower = synced_follower(tally, store)
    follower.process(rate(store, 3))
    tally.redis.flushdb()
    later = rate(store, 1)
    follower.process(later)
    assert follower.behind == {0}
    follower.process(store.page(0, after=0, limit=10))
    assert tally.count() == 4


@pytest.mark.usefixtures("long_back_off")
def test_follower_does_not_skip_event_to_retry_later(tally, store):
    follower = synced_follower(tally, store)
    tally.retried_movie = 1
    follower.process(rate(store, 3))
    assert (tally.count(), follower.checkpoints, follower.behind) == (0, [0], {0})
    assert follower.is_backing_off
    assert follower.lag(store.heads()) == 3


@pytest.mark.usefixtures("long_back_off")
def test_follower_applies_nothing_while_it_backs_off(tally, store):
    follower = synced_follower(tally, store)
    tally.retried_movie = 0
    batch = rate(store, 2)
    follower.process(batch[:1])
    tally.retried_movie = None
    follower.process(batch)
    assert (tally.count(), follower.behind) == (0, {0})


def test_follower_stops_when_log_lacks_an_event_of_the_bus(tally, store):
    other = MemoryStore(1)
    follower = synced_follower(tally, store)
    with pytest.raises(StopProjector, match="lacks partition 0 from 1"):
        follower.process(rate(other, 2)[1:])
