"""Calibration of projecting: a bare pika consumer on a worker's queues."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import pika

from events.bus import topology
from events.relay.relay import BusTarget

PREFETCH = 1000
"""The same as a worker's."""
_ACK_EACH = 500

NAME = "bench"
"""Name of the subscriber that owns the queues."""


@contextmanager
def queues(bus: BusTarget, partitions: int) -> Iterator[Sequence[str]]:
    """Declare empty queues like a worker's; they are deleted after the block."""
    names = [topology.queue(bus.namespace, NAME, group) for group in range(topology.GROUPS)]
    with pika.BlockingConnection(pika.URLParameters(bus.url)) as connection:
        channel = connection.channel()
        exchange = topology.exchange(bus.namespace)
        channel.exchange_declare(exchange, exchange_type="topic", durable=True)
        for group, name in enumerate(names):
            channel.queue_declare(name, durable=True, arguments=dict(topology.QUEUE_ARGUMENTS))
            for key in topology.bindings(group, partitions):
                channel.queue_bind(name, exchange, key)
    yield names
    with pika.BlockingConnection(pika.URLParameters(bus.url)) as connection:
        for name in names:
            connection.channel().queue_delete(name)


@contextmanager
def occupied(bus: BusTarget, names: Sequence[str]) -> Iterator[None]:
    """Consume from each queue, holding one message unacknowledged, until the block ends.

    The queues have a single active consumer, so a worker that subscribes meanwhile waits, and does
    not purge them. The held message is an extra one: it is requeued, perhaps behind others.
    """
    with pika.BlockingConnection(pika.URLParameters(bus.url)) as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=1)
        bodies: list[bytes] = []
        for name in names:
            channel.basic_publish("", name, b"extra")
            channel.basic_consume(
                name, lambda _channel, _method, _properties, body: bodies.append(body)
            )
        while len(bodies) < len(names):
            connection.process_data_events(time_limit=0.1)
        yield


def bare_seconds(bus: BusTarget, names: Sequence[str], messages: int) -> float:
    """Seconds that a bare pika consumer takes: it counts messages, and acknowledges every 500th."""
    bare = _BareConsumer(bus, names, messages)
    bare.connection.ioloop.start()
    return perf_counter() - bare.began


class _BareConsumer:
    def __init__(self, bus: BusTarget, names: Sequence[str], messages: int) -> None:
        self.began = 0.0
        self._names = names
        self._left = messages
        self._channel: Any = None
        self.connection: Any = pika.SelectConnection(
            pika.URLParameters(bus.url),
            on_open_callback=lambda opened: opened.channel(on_open_callback=self._begin),
            on_close_callback=lambda closed, _: closed.ioloop.stop(),
        )

    def _begin(self, channel: Any) -> None:
        self._channel = channel
        self.began = perf_counter()
        channel.basic_qos(prefetch_count=PREFETCH)
        for name in self._names:
            channel.basic_consume(name, self._take)

    def _take(self, channel: Any, method: Any, _properties: Any, _body: bytes) -> None:
        self._left -= 1
        if self._left % _ACK_EACH == 0:
            channel.basic_ack(method.delivery_tag, multiple=True)
        if not self._left:
            self.connection.close()
