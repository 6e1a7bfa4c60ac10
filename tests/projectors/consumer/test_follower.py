"""Does a follower take in every event once, whatever way the events come?"""

from collections.abc import Iterable, Sequence
from typing import ClassVar
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY
from redis import Redis

from events.catalogue import MovieRated
from events.recorded import Origin, Recorded, Stream
from events.store.memory import MemoryStore
from projectors.consumer.follower import Follower
from projectors.errors import RetryLater, StopProjector
from projectors.storage.read_model import ReadModel
from projectors.storage.shard import Shard, Write

ANN = UUID(int=1)


class Tally(ReadModel):
    """How many ratings there were, and each one's offset in order."""

    name: ClassVar[str] = "tally"
    by_partition: ClassVar[bool] = False
    waits_for: int | None = None

    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        for recorded in batch:
            assert isinstance(recorded.event, MovieRated)
            if recorded.event.movie_id == self.waits_for:
                raise RetryLater("what it needs is away")
        yield ("HINCRBY", shard.state("ratings"), "count", len(batch))

    def count(self) -> int:
        return int(self.redis.hget(self.shard(0).state("ratings"), "count") or 0)


@pytest.fixture
def tally(redis_url) -> Iterable[Tally]:
    with Redis.from_url(redis_url) as redis:
        yield Tally(redis, 1)


@pytest.fixture
def long_rests(monkeypatch) -> None:
    """Whoever rests still does so when it is looked at, on a slow machine, too."""
    monkeypatch.setattr("projectors.consumer.follower._FIRST_DELAY_SECONDS", 60.0)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(1)


def rate(store: MemoryStore, count: int) -> list[Recorded]:
    found: list[Recorded] = []
    for movie in range(count):
        found += store.append(
            Stream(f"rating-{ANN}-{uuid4()}", str(ANN)),
            [MovieRated(user_id=ANN, movie_id=movie, score=8)],
            expected=0,
            origin=Origin(correlation_id=uuid4()),
        )
    return found


def follower(tally: Tally, store: MemoryStore) -> Follower:
    made = Follower(tally, store)
    made.sync(store.heads())
    return made


def gaps() -> float:
    """How many were counted so far, by whichever test."""
    return REGISTRY.get_sample_value("marquee_gaps_total", {"model": Tally.name}) or 0.0


def test_a_batch_delivered_twice_counts_once(tally, store):
    made, before = follower(tally, store), gaps()
    batch = rate(store, 5)
    made.process(batch)
    made.process(batch)
    assert (tally.count(), made.checkpoints, gaps()) == (5, [5], before)


def test_a_batch_that_overlaps_counts_what_is_new(tally, store):
    made = follower(tally, store)
    batch = rate(store, 5)
    made.process(batch[:3])
    made.process(batch[1:])
    assert tally.count() == 5


def test_a_gap_is_read_from_the_log(tally, store):
    made, before = follower(tally, store), gaps()
    batch = rate(store, 2500)
    made.process(batch[:1])
    made.process(batch[-1:])
    assert (tally.count(), made.checkpoints, gaps()) == (2500, [2500], before + 1)


def test_a_gap_at_the_very_start_too(tally, store):
    made = follower(tally, store)
    made.process(rate(store, 3)[2:])
    assert tally.count() == 3


def test_another_worker_was_quicker(tally, store):
    first, second = follower(tally, store), follower(tally, store)
    batch = rate(store, 4)
    first.process(batch)
    second.process(batch[:2])
    assert tally.count() == 4
    assert (second.checkpoints, second.behind) == ([4], {0})


def test_redis_lost_its_data_and_the_checkpoint_with_it(tally, store):
    made = follower(tally, store)
    made.process(rate(store, 3))
    tally.redis.flushdb()
    later = rate(store, 1)
    made.process(later)
    assert made.behind == {0}
    made.process(store.page(0, after=0, limit=10))
    assert tally.count() == 4


@pytest.mark.usefixtures("long_rests")
def test_an_event_whose_time_has_not_come_is_not_passed_over(tally, store):
    made = follower(tally, store)
    tally.waits_for = 1
    made.process(rate(store, 3))
    assert (tally.count(), made.checkpoints, made.behind) == (0, [0], {0})
    assert made.is_backing_off
    assert made.lag(store.heads()) == 3


@pytest.mark.usefixtures("long_rests")
def test_while_it_rests_it_takes_nothing(tally, store):
    made = follower(tally, store)
    tally.waits_for = 0
    batch = rate(store, 2)
    made.process(batch[:1])
    tally.waits_for = None
    made.process(batch)
    assert (tally.count(), made.behind) == (0, {0})


def test_an_event_that_the_log_does_not_have_stops_the_worker(tally, store):
    other = MemoryStore(1)
    made = follower(tally, store)
    with pytest.raises(StopProjector, match="lacks partition 0 from 1"):
        made.process(rate(other, 2)[1:])
