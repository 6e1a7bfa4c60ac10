"""Feeds: the bus and the log bring a worker to the same state.

One suite for two feeds. With the bus a worker reads the log, too; only the order of arrival
differs.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from threading import Event, Thread
from typing import ClassVar
from uuid import UUID, uuid4

import pytest
from redis import Redis

from events import codec
from events.bus import Publisher, Subscription
from events.catalogue import MovieRated
from events.notifications import listening
from events.recorded import Origin, Position, Recorded, Stored, Stream, partition_of
from projectors.consumer.assignments import AssignedGeneration
from projectors.consumer.follower import Follower
from projectors.consumer.worker import BULK_LAG, Worker
from projectors.generations.live import Live, NotReady
from projectors.generations.pointers import Pointers
from projectors.storage.read_model import ReadModel
from projectors.storage.shard import Shard, Write
from tests.fixtures.fixed_assignments import FixedAssignments
from tests.fixtures.memory_store import MemoryStore
from tests.fixtures.waiting import until

PARTITIONS = 4
PEOPLE = [UUID(int=nth) for nth in range(1, 9)]


class Order(ReadModel):
    """Offsets of each partition, in the order in which they were applied."""

    name: ClassVar[str] = "order"
    by_partition: ClassVar[bool] = True

    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        yield "RPUSH", shard.state("offsets"), *(recorded.offset for recorded in batch)

    def applied(self) -> list[list[int]]:
        return [
            list(map(int, self.redis.lrange(self.shard(p).state("offsets"), 0, -1)))
            for p in range(PARTITIONS)
        ]


class Feed:
    """A log and a feed that brings its events to a worker."""

    def __init__(self, redis: Redis, bus_url: str | None, namespace: str) -> None:
        self.log = MemoryStore(PARTITIONS)
        self.model = Order(redis, 1)
        self.live = Live(redis)
        self._redis = redis
        self._bus_url = bus_url
        self._namespace = namespace

    def append(self, count: int) -> list[Stored]:
        """Append ratings to the log without publishing them."""
        for nth in range(count):
            user = PEOPLE[nth % len(PEOPLE)]
            self.log.append(
                Stream(f"rating-{user}-{uuid4()}", str(user)),
                [MovieRated(user_id=user, movie_id=nth + 1, score=8)],
                expected=0,
                origin=Origin(correlation_id=uuid4()),
            )
        return [
            stored
            for partition in range(PARTITIONS)
            for stored in self.log.page_stored(partition, after=0, limit=count)
        ]

    def publish(self, events: Iterable[Stored]) -> None:
        """Publish events on the bus, if the feed has one."""
        if self._bus_url is None:
            return
        publisher = Publisher(self._bus_url, self._namespace, window=100)
        try:
            for stored in events:
                until(lambda: publisher.poll(0.05) is not None and publisher.capacity)
                at = Position(stored.partition, stored.offset)
                publisher.publish(at, stored.type, codec.to_wire(stored))
            until(lambda: publisher.poll(0.05) is not None and not publisher.unconfirmed)
        finally:
            publisher.close()

    @contextmanager
    def worker(self) -> Iterator[None]:
        """Run a worker until the end of the block."""
        stopping = Event()
        with ExitStack() as stack:
            subscription = stack.enter_context(self._subscribed())
            hints = stack.enter_context(listening(self._redis, f"{self._namespace}:log"))
            worker = Worker(
                store=self.log,
                live=self.live,
                pointers=Pointers(self._redis),
                assignments=FixedAssignments(
                    AssignedGeneration("coming", Follower(self.model, self.log))
                ),
                subscription=subscription,
                notifications=hints,
            )
            thread = Thread(target=lambda: worker.run(stopping))
            stack.callback(thread.join)
            stack.callback(stopping.set)
            thread.start()
            yield

    def has_applied_all(self) -> bool:
        return [len(applied) for applied in self.model.applied()] == list(self.log.heads())

    def is_live(self) -> bool:
        """Whether the model is live."""
        try:
            return self.live.generation("order") == self.model.generation
        except NotReady:
            return False

    @contextmanager
    def _subscribed(self) -> Iterator[Subscription | None]:
        if self._bus_url is None:
            yield None
            return
        subscription = Subscription(self._bus_url, self._namespace, "feeds", PARTITIONS)
        try:
            until(lambda: subscription.connected)
            yield subscription
        finally:
            subscription.close()


@pytest.fixture(params=["bus", "log"])
def feed(request, redis_url, namespace) -> Iterator[Feed]:
    bus_url = request.getfixturevalue("bus_url") if request.param == "bus" else None
    with Redis.from_url(redis_url) as redis:
        yield Feed(redis, bus_url, namespace)


@pytest.fixture
def is_in_order(feed) -> Callable[[], bool]:
    """Whether each event was applied once and right after the one before it."""
    return lambda: feed.model.applied() == [list(range(1, head + 1)) for head in feed.log.heads()]


def test_sample_users_are_in_several_partitions():
    assert len({partition_of(str(user), PARTITIONS) for user in PEOPLE}) > 1


def test_worker_applies_events_from_before_its_start(feed, is_in_order):
    feed.append(100)
    with feed.worker():
        until(feed.has_applied_all)
    assert is_in_order()


def test_worker_applies_events_while_running(feed, is_in_order):
    with feed.worker():
        feed.publish(feed.append(50))
        until(feed.has_applied_all)
    assert is_in_order()


def test_worker_applies_redelivered_events_once(feed, is_in_order):
    events = feed.append(50)
    with feed.worker():
        feed.publish([*events, *events])
        until(feed.has_applied_all)
        feed.publish(reversed(events))
        feed.append(1)
        until(feed.has_applied_all)
    assert is_in_order()


def test_worker_applies_events_that_were_never_delivered(feed, is_in_order):
    with feed.worker():
        events = feed.append(60)
        feed.publish(events[::3])
        until(feed.has_applied_all)
    assert is_in_order()


def test_next_worker_resumes_at_the_checkpoint(feed, is_in_order):
    with feed.worker():
        feed.publish(feed.append(30))
        until(feed.has_applied_all)
    feed.publish(feed.append(30))
    with feed.worker():
        until(feed.has_applied_all)
    assert is_in_order()


def test_model_goes_live_once_caught_up(feed):
    feed.append(10)
    with feed.worker():
        until(feed.is_live)
        assert feed.has_applied_all()
        assert feed.live.level_at("order") is not None


def test_worker_far_behind_catches_up_in_bulk(feed, is_in_order):
    feed.append(BULK_LAG + 100)
    with feed.worker():
        until(feed.has_applied_all)
        feed.publish(feed.append(5)[-5:])
        until(feed.has_applied_all)
    assert is_in_order()
