"""Worker: reading in bulk, failing followers, and when a generation goes live."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from threading import Event, Thread
from time import sleep
from typing import ClassVar
from uuid import UUID, uuid4

import pytest

from events.catalogue import MovieRated
from events.notifications import listening
from events.recorded import Origin, Recorded, Stream
from events.store import AppendEntry
from projectors.building.thread import BuilderThread
from projectors.consumer import worker as worker_module
from projectors.consumer.assignments import AssignedGeneration
from projectors.consumer.follower import Follower
from projectors.consumer.worker import Worker
from projectors.errors import RetryLater
from projectors.generations.live import Live, NotReady
from projectors.generations.pointers import Pointers
from projectors.storage.read_model import ReadModel
from projectors.storage.shard import Shard, Write
from tests.fixtures.fixed_assignments import FixedAssignments
from tests.fixtures.memory_store import MemoryStore
from tests.fixtures.waiting import until

BULK_LAG_EVENTS = 20
PATIENCE_SECONDS = 10


class Counted(ReadModel):
    """Counts events."""

    name: ClassVar[str] = "counted"
    by_partition: ClassVar[bool] = False

    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        return (("HINCRBY", shard.state("events"), "count", len(batch)),)


class PartlyFailing(Counted):
    """Fails on the events of one partition."""

    name: ClassVar[str] = "partly_failing"
    failing_partition: int | None = None

    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        if batch[0].partition == self.failing_partition:
            raise RetryLater("a server is unavailable")
        return super().writes(shard, batch)


class OffsetBuilder:
    """Builder that copies checkpoints to built offsets."""

    name: ClassVar[str] = Counted.name
    interval_seconds = 0.1
    pause_seconds = 0.0

    def __init__(self, counted: Counted) -> None:
        self._counted = counted

    def build(self, now: datetime) -> None:
        shard = self._counted.shard(0)
        for partition, offset in shard.checkpoints().items():
            self._counted.redis.hset(shard.built_key, str(partition), offset)

    def check(self, now: datetime) -> list[str]:
        return []


ANN, BOB = UUID(int=2), UUID(int=1)
LOW, HIGH = 0, 1
"""Two partitions: Ann's and Bob's."""


def rate(store: MemoryStore, count: int, user: UUID = ANN) -> None:
    streams = [Stream(f"rating-{user}-{uuid4()}", str(user)) for _ in range(count)]
    event = MovieRated(user_id=user, movie_id=1, score=8)
    origin = Origin(correlation_id=uuid4())
    store.append_many([AppendEntry(stream, 1, event) for stream in streams], origin=origin)


@pytest.fixture
def at_work(request, redis, monkeypatch):
    """Worker far behind, with a model that may fail and one with a builder thread."""
    monkeypatch.setattr(worker_module, "BULK_LAG", BULK_LAG_EVENTS)
    store, live, stopping = MemoryStore(2), Live(redis), Event()
    rate(store, 3 * BULK_LAG_EVENTS)
    counted, partly_failing = Counted(redis, 1), PartlyFailing(redis, 1)
    partly_failing.failing_partition = getattr(request, "param", None)
    builder = BuilderThread(OffsetBuilder(counted), failed=lambda _: stopping.set())
    builder.start()
    with listening(redis, "test:nothing") as hints:
        worker = Worker(
            store=store,
            live=live,
            pointers=Pointers(redis),
            assignments=FixedAssignments(
                AssignedGeneration("coming", Follower(partly_failing, store)),
                AssignedGeneration("coming", Follower(counted, store), builder),
            ),
            subscription=None,
            notifications=hints,
        )
        thread = Thread(target=worker.run, args=(stopping,))
        thread.start()
        yield store, counted, partly_failing, builder
        stopping.set()
        thread.join(timeout=PATIENCE_SECONDS)
        builder.leave()
        builder.join()


@pytest.mark.parametrize("at_work", [LOW], indirect=True)
def test_failing_follower_does_not_throttle_builders_of_others(at_work):
    store, counted, _, builder = at_work
    until(lambda: counted.built(LOW) == 3 * BULK_LAG_EVENTS)
    until(lambda: not builder._is_throttled)
    held = 0
    for more in range(1, 2 * BULK_LAG_EVENTS):
        rate(store, 1)
        until(lambda more=more: counted.checkpoint(LOW) == 3 * BULK_LAG_EVENTS + more)
        held += builder._is_throttled
        sleep(0.05)
    assert held == 0


def test_worker_ends_bulk_when_nearly_caught_up_under_traffic(at_work):
    store, counted, _, builder = at_work
    until(lambda: counted.checkpoint(LOW) >= 3 * BULK_LAG_EVENTS)

    def rate_one():
        rate(store, 1)
        sleep(0.1)

    until(lambda: not builder._is_throttled, turn=rate_one)


@pytest.mark.parametrize("at_work", [LOW], indirect=True)
def test_follower_failing_in_one_partition_continues_in_others(at_work):
    store, _, partly_failing, _ = at_work
    for more in range(1, 4):
        rate(store, 1, BOB)
        until(lambda more=more: partly_failing.checkpoint(HIGH) == more)
    assert partly_failing.checkpoint(LOW) == 0


def test_worker_throttles_builders_during_import_even_without_lag(at_work, monkeypatch):
    store, _, _, builder = at_work
    until(lambda: not builder._is_throttled)
    monkeypatch.setattr(worker_module, "BULK_EVENTS_PER_SECOND", 5)
    until(lambda: builder._is_throttled, turn=lambda: rate(store, 1))
    until(lambda: not builder._is_throttled)


@pytest.mark.parametrize("at_work", [LOW], indirect=True)
@pytest.mark.usefixtures("at_work")
def test_generation_does_not_go_live_before_it_has_caught_up(redis):
    until(lambda: is_live(redis, Counted))
    assert not is_live(redis, PartlyFailing)


def is_live(redis, kind) -> bool:
    try:
        return Live(redis).generation(kind.name) == 1
    except NotReady:
        return False
