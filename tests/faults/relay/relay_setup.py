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


class RelayProcesses:
    """``manage.py relay`` processes; they end with the test."""

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


class Subscriber:
    """A worker's queues and all positions received from them."""

    def __init__(self, bus_url: str, namespace: str) -> None:
        self.received: list[Position] = []
        self.subscription = Subscription(bus_url, namespace, "subscriber", config().partitions)
        until(lambda: self.subscription.connected)

    def listen(self) -> None:
        deliveries = self.subscription.receive(1000, 0.1)
        self.received += [from_wire(delivery.body).position for delivery in deliveries]
        self.subscription.ack_through(deliveries)

    def has_received(self, positions: Iterable[Position]) -> bool:
        self.listen()
        return set(positions) <= set(self.received)

    def duplicates(self) -> int:
        return sum(count - 1 for count in Counter(self.received).values())

    def assert_in_order(self) -> None:
        """Offsets of each partition have no gap; earlier ones may repeat."""
        last_offsets(self.received)


class DurableQueue:
    """Durable queue bound to all events; a worker's queues lose theirs with the broker."""

    def __init__(self, bus_url: str, namespace: str) -> None:
        self._bus_url = bus_url
        self._name = f"{namespace}.queue"
        self._received: list[Position] = []
        exchange = topology.exchange(namespace)
        with self._channel() as channel:
            channel.exchange_declare(exchange, exchange_type="topic", durable=True)
            channel.queue_declare(self._name, durable=True)
            channel.queue_bind(self._name, exchange, "#")

    def drain(self) -> None:
        """Receive all messages that the queue holds now."""
        with self._channel() as channel:
            while (delivery := channel.basic_get(self._name, auto_ack=True))[0]:
                self._received.append(from_wire(delivery[2]).position)

    def assert_in_order(self) -> None:
        """Offsets of each partition have no gap; earlier ones may repeat."""
        last_offsets(self._received)

    def last_offsets(self) -> dict[int, int]:
        """The highest offset of each partition."""
        return last_offsets(self._received)

    @contextmanager
    def _channel(self) -> Iterator[BlockingChannel]:
        with pika.BlockingConnection(pika.URLParameters(self._bus_url)) as connection:
            yield connection.channel()


def last_offsets(positions: Iterable[Position]) -> dict[int, int]:
    """The highest offset of each partition; fails at a gap."""
    last: dict[int, int] = {}
    for partition, offset in positions:
        assert offset <= last.get(partition, 0) + 1, f"a gap before {partition}:{offset}"
        last[partition] = max(offset, last.get(partition, 0))
    return last


def append(count: int) -> Sequence[Position]:
    """Append one rating each of ``count`` users."""
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
    """The relay's cursor of each partition."""
    return [offset for (offset,) in query('SELECT "offset" FROM relay_cursors ORDER BY partition')]


def heads() -> list[int]:
    return list(PostgresStore(config().partitions).heads())


def epoch() -> int:
    [(number,)] = query("SELECT epoch FROM relay_epoch")
    return int(number)


def leaders() -> list[int]:
    """Process ids of the sessions that hold a relay's lock on this database."""
    return [
        pid
        for (pid,) in query(
            "SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
            " WHERE locktype = 'advisory' AND granted AND datname = current_database()"
        )
    ]


def query(sql: str) -> list[tuple[int, ...]]:
    with connections["default"].cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())
