"""Does a worker's way depend on those that can go it, and on nobody else?"""

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
from events.store.memory import MemoryStore
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
from tests.fixtures.waiting import until

FAR = 20
PATIENCE_SECONDS = 10


class Counted(ReadModel):
    """How many events there were."""

    name: ClassVar[str] = "counted"
    by_partition: ClassVar[bool] = False

    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        return (("HINCRBY", shard.state("events"), "count", len(batch)),)


class Choosy(Counted):
    """One that can't take in any of a partition, if it is stuck."""

    name: ClassVar[str] = "choosy"
    stuck_in: int | None = None

    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        if batch[0].partition == self.stuck_in:
            raise RetryLater("what it needs is away")
        return super().writes(shard, batch)


class Copies:
    """Notes how far the count is."""

    name: ClassVar[str] = Counted.name
    interval_seconds = 0.1
    pause_seconds = 0.0

    def __init__(self, counted: Counted) -> None:
        self._counted = counted

    def build(self, now: datetime) -> None:
        shard = self._counted.shard(0)
        for partition, offset in shard.checkpoints().items():
            self._counted.redis.hset(shard.built_key, str(partition), offset)


ANN, BOB = UUID(int=2), UUID(int=1)
LOW, HIGH = 0, 1
"""Of two partitions: Ann's, and Bob's."""


def rate(store: MemoryStore, count: int, user: UUID = ANN) -> None:
    streams = [Stream(f"rating-{user}-{uuid4()}", str(user)) for _ in range(count)]
    event = MovieRated(user_id=user, movie_id=1, score=8)
    origin = Origin(correlation_id=uuid4())
    store.append_many([AppendEntry(stream, 1, event) for stream in streams], origin=origin)


@pytest.fixture
def at_work(request, redis, monkeypatch):
    """A worker far behind, with a model that may be stuck, and one whose builder has a thread."""
    monkeypatch.setattr(worker_module, "BULK_LAG", FAR)
    store, live, stopping = MemoryStore(2), Live(redis), Event()
    rate(store, 3 * FAR)
    counted, choosy = Counted(redis, 1), Choosy(redis, 1)
    choosy.stuck_in = getattr(request, "param", None)
    builder = BuilderThread(Copies(counted), failed=lambda _: stopping.set())
    builder.start()
    with listening(redis, "test:nothing") as hints:
        made = Worker(
            store=store,
            live=live,
            pointers=Pointers(redis),
            assignments=FixedAssignments(
                AssignedGeneration("coming", Follower(choosy, store)),
                AssignedGeneration("coming", Follower(counted, store), builder),
            ),
            subscription=None,
            notifications=hints,
        )
        thread = Thread(target=made.run, args=(stopping,))
        thread.start()
        yield store, counted, choosy, builder
        stopping.set()
        thread.join(timeout=PATIENCE_SECONDS)
        builder.stop()


@pytest.mark.parametrize("at_work", [LOW], indirect=True)
def test_one_that_is_stuck_does_not_make_the_builders_of_others_rest(at_work):
    store, counted, _, builder = at_work
    until(lambda: counted.built(LOW) == 3 * FAR)
    until(lambda: not builder._is_held)
    held = 0
    for more in range(1, 2 * FAR):
        rate(store, 1)
        until(lambda more=more: counted.checkpoint(LOW) == 3 * FAR + more)
        held += builder._is_held
        sleep(0.05)
    assert held == 0


def test_nearly_level_it_is_far_behind_no_more_though_events_keep_coming(at_work):
    store, counted, _, builder = at_work
    until(lambda: counted.checkpoint(LOW) >= 3 * FAR)

    def rate_one():
        rate(store, 1)
        sleep(0.1)

    until(lambda: not builder._is_held, turn=rate_one)


@pytest.mark.parametrize("at_work", [LOW], indirect=True)
def test_one_that_is_stuck_in_a_partition_goes_on_in_the_others(at_work):
    store, _, choosy, _ = at_work
    for more in range(1, 4):
        rate(store, 1, BOB)
        until(lambda more=more: choosy.checkpoint(HIGH) == more)
    assert choosy.checkpoint(LOW) == 0


def test_while_very_much_is_appended_builders_rest_though_it_is_level(at_work, monkeypatch):
    store, _, _, builder = at_work
    until(lambda: not builder._is_held)
    monkeypatch.setattr(worker_module, "BULK_EVENTS_PER_SECOND", 5)
    until(lambda: builder._is_held, turn=lambda: rate(store, 1))
    until(lambda: not builder._is_held)


@pytest.mark.parametrize("at_work", [LOW], indirect=True)
@pytest.mark.usefixtures("at_work")
def test_one_that_is_not_level_does_not_answer(redis):
    until(lambda: is_live(redis, Counted))
    assert not is_live(redis, Choosy)


def is_live(redis, kind) -> bool:
    try:
        return Live(redis).generation(kind.name) == 1
    except NotReady:
        return False
