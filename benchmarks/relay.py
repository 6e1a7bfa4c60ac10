"""Publishing rate of the relay, compared with bare pika.

Both publish the same persistent messages with the same routing keys, confirms and window, to queues
like a projector worker's. In addition, the relay reads the log and saves its cursors.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread
from time import perf_counter
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pika
from django.db import connections

from events import codec
from events.bus import topology
from events.catalogue import MovieRated
from events.cloudevent import CONTENT_TYPE
from events.recorded import Origin, Stored, Stream
from events.relay.outbox import Outbox
from events.relay.relay import BusTarget, Relay
from events.relay.wakeups import Wakeups
from events.store import AppendEntry
from events.store.postgres import PostgresStore

_BATCH = 2000


class RelayRates(NamedTuple):
    """Messages a second, confirmed."""

    relay: float
    bare: float

    @property
    def ratio(self) -> float:
        """The relay's share of the bare rate."""
        return self.relay / self.bare


def measure(*, partitions: int, bus: BusTarget, events: int = 60_000) -> RelayRates:
    """Append ratings to the log of the default database, and publish them both ways.

    The log must have nothing unsent, and no relay may run.
    """
    before = PostgresStore(partitions).heads()
    _append(PostgresStore(partitions), events)
    messages = [
        (topology.routing_key(stored.partition, stored.type), codec.to_wire(stored))
        for stored in _in_turns(_unsent(before), before, 2 * bus.window // partitions)
    ]
    with _queues(bus, partitions):
        bare = _timed(lambda: publish(bus, messages))
    with _queues(bus, partitions):
        relay = _timed(lambda: _relay(bus))
    return RelayRates(relay=len(messages) / relay, bare=len(messages) / bare)


def _append(store: PostgresStore, events: int) -> None:
    origin = Origin(correlation_id=uuid4())
    users = [uuid4() for _ in range(500)]
    for start in range(0, events, _BATCH):
        entries = [_rating(users[nth % len(users)], nth) for nth in range(start, start + _BATCH)]
        store.append_many(entries, origin=origin)


def _rating(user: UUID, movie: int) -> AppendEntry:
    return AppendEntry(
        Stream(f"rating-{user}-{movie}", str(user)),
        1,
        MovieRated(user_id=user, movie_id=movie, score=1 + movie % 10),
        datetime.now(UTC),
    )


def _unsent(before: Sequence[int]) -> list[Stored]:
    after = dict(enumerate(before))
    return Outbox().unsent(after, limit=1_000_000)


def _in_turns(events: list[Stored], before: Sequence[int], page: int) -> list[Stored]:
    """Sort as the relay publishes: a page of each partition in turn, since the broker slows down
    with many queues.
    """
    return sorted(
        events, key=lambda it: ((it.offset - before[it.partition] - 1) // page, it.partition)
    )


def _timed(work: Callable[[], None]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def _relay(bus: BusTarget) -> None:
    relay = Relay(Outbox(), bus, Wakeups())
    watcher = Thread(target=_stop_when_published, args=(relay,))
    watcher.start()
    relay.run()
    watcher.join()


def _stop_when_published(relay: Relay) -> None:
    pause = Event()
    outbox = Outbox()
    while outbox.backlog():
        pause.wait(0.02)
    relay.stop()
    connections.close_all()


@contextmanager
def _queues(bus: BusTarget, partitions: int) -> Iterator[None]:
    with pika.BlockingConnection(pika.URLParameters(bus.url)) as connection:
        channel = connection.channel()
        exchange = topology.exchange(bus.namespace)
        channel.exchange_declare(exchange, exchange_type="topic", durable=True)
        names = [topology.queue(bus.namespace, "bench", group) for group in range(topology.GROUPS)]
        for group, name in enumerate(names):
            channel.queue_declare(name, durable=True, arguments=dict(topology.QUEUE_ARGUMENTS))
            for key in topology.bindings(group, partitions):
                channel.queue_bind(name, exchange, key)
    yield
    with pika.BlockingConnection(pika.URLParameters(bus.url)) as connection:
        for name in names:
            connection.channel().queue_delete(name)


def publish(bus: BusTarget, messages: Sequence[tuple[str, bytes]]) -> None:
    """Publish messages with bare pika."""
    bare = _BarePublisher(bus, messages)
    bare.connection.ioloop.start()


class _BarePublisher:
    """Publishes with pika alone, from the callback of confirms."""

    def __init__(self, bus: BusTarget, messages: Sequence[tuple[str, bytes]]) -> None:
        self._waiting = deque(messages)
        self._under_way: set[int] = set()
        self._sent = 0
        self._window = bus.window
        self._exchange = topology.exchange(bus.namespace)
        self._properties = pika.BasicProperties(
            delivery_mode=2, content_type=CONTENT_TYPE, message_id="63-1000000"
        )
        self._channel: Any = None
        self.connection: Any = pika.SelectConnection(
            pika.URLParameters(bus.url),
            on_open_callback=lambda opened: opened.channel(on_open_callback=self._begin),
            on_close_callback=lambda closed, _: closed.ioloop.stop(),
        )

    def _begin(self, channel: Any) -> None:
        self._channel = channel
        channel.confirm_delivery(self._on_confirm, callback=lambda _: self._pump())

    def _on_confirm(self, frame: Any) -> None:
        tag = frame.method.delivery_tag
        if frame.method.multiple:
            self._under_way.difference_update([each for each in self._under_way if each <= tag])
        else:
            self._under_way.discard(tag)
        self._pump()

    def _pump(self) -> None:
        while self._waiting and len(self._under_way) < self._window:
            self._sent += 1
            self._under_way.add(self._sent)
            key, body = self._waiting.popleft()
            self._channel.basic_publish(self._exchange, key, body, self._properties)
        if not self._under_way:
            self.connection.close()
