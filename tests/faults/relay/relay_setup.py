"""Relay processes, subscribers and log queries of the relay's fault tests."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import uuid4

import pika
from django.db import connections
from pika.adapters.blocking_connection import BlockingChannel

from events.bus import Subscription, topology
from events.catalogue import MovieRated
from events.codec import from_wire
from events.recorded import Origin, Position, Stream
from events.store import AppendEntry
from events.store.postgres import PostgresStore
from infra.config import config
from tests.fixtures.waiting import until

PATIENCE_SECONDS = 60


class Relays:
    """``manage.py relay``, as often as a test wants it."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, bus_url: str) -> "subprocess.Popen[bytes]":
        environ = os.environ | {"MARQUEE_BUS_URL": bus_url, "MARQUEE_NAMESPACE": self._namespace}
        relay = subprocess.Popen([sys.executable, "manage.py", "relay"], env=environ)
        self._running.append(relay)
        return relay

    def end(self) -> None:
        for relay in self._running:
            if relay.poll() is None:
                relay.send_signal(signal.SIGCONT)
                relay.kill()
                relay.wait(timeout=PATIENCE_SECONDS)


class Audience:
    """A worker's queues and everything that came out of them."""

    def __init__(self, bus_url: str, namespace: str) -> None:
        self.heard: list[Position] = []
        self.subscription = Subscription(bus_url, namespace, "audience", config().partitions)
        until(lambda: self.subscription.connected)

    def listen(self) -> None:
        deliveries = self.subscription.receive(1000, 0.1)
        self.heard += [from_wire(delivery.body).position for delivery in deliveries]
        self.subscription.ack_through(deliveries)

    def has_heard(self, positions: Iterable[Position]) -> bool:
        self.listen()
        return set(positions) <= set(self.heard)

    def duplicates(self) -> int:
        return sum(count - 1 for count in Counter(self.heard).values())

    def assert_in_order(self) -> None:
        """Each partition's offsets one by one; what was heard before may come again."""
        walk(self.heard)


class Box:
    """A queue on the broker's disk that keeps all there ever was: a worker's may forget."""

    def __init__(self, bus_url: str, namespace: str) -> None:
        self._bus_url = bus_url
        self._name = f"{namespace}.box"
        self._held: list[Position] = []
        exchange = topology.exchange(namespace)
        with self._channel() as channel:
            channel.exchange_declare(exchange, exchange_type="topic", durable=True)
            channel.queue_declare(self._name, durable=True)
            channel.queue_bind(self._name, exchange, "#")

    def open(self) -> None:
        """Take out what it holds now."""
        with self._channel() as channel:
            while (delivery := channel.basic_get(self._name, auto_ack=True))[0]:
                self._held.append(from_wire(delivery[2]).position)

    def assert_in_order(self) -> None:
        """Each partition's offsets one by one; what was there before may be there again."""
        walk(self._held)

    def last(self) -> dict[int, int]:
        """The highest offset of each partition."""
        return walk(self._held)

    @contextmanager
    def _channel(self) -> Iterator[BlockingChannel]:
        with pika.BlockingConnection(pika.URLParameters(self._bus_url)) as connection:
            yield connection.channel()


def walk(positions: Iterable[Position]) -> dict[int, int]:
    """The highest offset of each partition; there must be no gap on the way."""
    last: dict[int, int] = {}
    for partition, offset in positions:
        assert offset <= last.get(partition, 0) + 1, f"a gap before {partition}:{offset}"
        last[partition] = max(offset, last.get(partition, 0))
    return last


def append(count: int) -> Sequence[Position]:
    """Ratings of so many users."""
    store = PostgresStore(config().partitions)
    users = [uuid4() for _ in range(count)]
    entries = [
        AppendEntry(
            Stream(f"rating-{user}-25", str(user)),
            1,
            MovieRated(user_id=user, movie_id=25, score=7),
            datetime.now(UTC),
        )
        for user in users
    ]
    return store.append_many(entries, origin=Origin(correlation_id=uuid4()))


def cursors() -> list[int]:
    """How far the relay says that it is."""
    return [offset for (offset,) in ask('SELECT "offset" FROM relay_cursors ORDER BY partition')]


def heads() -> list[int]:
    return list(PostgresStore(config().partitions).heads())


def epoch() -> int:
    [(number,)] = ask("SELECT epoch FROM relay_epoch")
    return int(number)


def leaders() -> list[int]:
    """Process ids of the sessions that hold a relay's lock on this database."""
    return [
        pid
        for (pid,) in ask(
            "SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
            " WHERE locktype = 'advisory' AND granted AND datname = current_database()"
        )
    ]


def ask(sql: str) -> list[tuple[int, ...]]:
    with connections["default"].cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())
