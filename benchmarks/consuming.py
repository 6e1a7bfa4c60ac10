"""Calibration of projecting: a bare pika consumer on a worker's queues."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import pika

from events.bus import topology
from events.relay.relay import BusTarget

PREFETCH = 1000
"""As a worker's."""
_ACK_EACH = 500

NAME = "bench"
"""Of the subscriber whose queues these are."""


@contextmanager
def queues(bus: BusTarget, partitions: int) -> Iterator[Sequence[str]]:
    """The queues of a worker, empty; deleted after the block."""
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
def held(bus: BusTarget, names: Sequence[str]) -> Iterator[None]:
    """Someone takes a message from each queue and keeps it, until the block ends.

    A worker that comes meanwhile waits behind him, and does not purge what is in them. What he kept
    goes back, perhaps behind others: so it is none that counts.
    """
    with pika.BlockingConnection(pika.URLParameters(bus.url)) as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=1)
        bodies: list[bytes] = []
        for name in names:
            channel.basic_publish("", name, b"kept")
            channel.basic_consume(
                name, lambda _channel, _method, _properties, it: bodies.append(it)
            )
        while len(bodies) < len(names):
            connection.process_data_events(time_limit=0.1)
        yield


def seconds_bare(bus: BusTarget, names: Sequence[str], messages: int) -> float:
    """The least that pika can do: count what comes, acknowledge 500 at a time."""
    bare = _Bare(bus, names, messages)
    bare.connection.ioloop.start()
    return perf_counter() - bare.began


class _Bare:
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
