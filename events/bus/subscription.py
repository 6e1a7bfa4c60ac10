"""Subscription: a worker's queues, with a thread that reconnects by itself."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from threading import Condition, Thread
from typing import Any, NamedTuple

from pika import BasicProperties, SelectConnection
from pika.adapters.select_connection import IOLoop
from pika.channel import Channel
from pika.frame import Method
from pika.spec import Basic

from events.bus import topology
from infra.backoff import Backoff

log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0


class Delivery(NamedTuple):
    """A message to be acknowledged by ``ack_through``."""

    connection_number: int
    tag: int
    body: bytes


class Subscription:
    """A worker's queues. Never raises because of the broker: without it there are no messages."""

    def __init__(
        self, bus_url: str, namespace: str, name: str, partitions: int, *, prefetch: int = 1000
    ) -> None:
        self._queues = _Queues(bus_url, namespace, name, partitions, prefetch)
        self._changed = Condition()
        self._waiting: deque[Delivery] = deque()
        self.connected = False
        """Whether messages are delivered now."""
        self.connection_number = 0
        """Changes with each new connection: what was sent in between is only in the log."""
        self._attempts = 0
        self._connection: _Connection | None = None
        self.paused = False
        """Whether ``pause`` has ended delivery until ``resume``."""
        self._closing = False
        self._thread = Thread(target=self._run, name="bus", daemon=True)
        self._thread.start()

    def receive(self, limit: int, timeout_seconds: float) -> list[Delivery]:
        """The messages delivered so far, in order; waits for the first until the timeout."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing, timeout_seconds)
            return [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]

    def ack_through(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge these messages and all before them."""
        connection = self._connection
        if connection is None:
            return
        tags = [it.tag for it in deliveries if it.connection_number == connection.number]
        if tags:
            connection.ack_through(max(tags))

    def pause(self) -> None:
        """Disconnect, drop the messages that wait here, and delete the queues; the log has all.

        100,000 messages that are never read cost the broker 10 s of CPU, unroutable ones 4 s.
        A standby worker at these queues declares them again by itself.
        """
        with self._changed:
            self.paused = True
            self._waiting.clear()
        connection = self._connection
        if connection is not None:
            connection.delete_queues()

    def resume(self) -> None:
        """Connect again after ``pause``."""
        with self._changed:
            self.paused = False
            self._changed.notify_all()

    def close(self) -> None:
        """Disconnect for good."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        connection = self._connection
        if connection is not None:
            connection.close()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        backoff = Backoff(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)
        pause_seconds = 0.0
        while self._wait_to_connect(pause_seconds):
            reason = self._run_connection()
            if self.connected:
                backoff.reset()
            self.connected = False
            pause_seconds = backoff.next_seconds()
            if not self.paused and not self._closing:
                log.warning(
                    "AMQP connection lost; reading from the event log until it is back: %s", reason
                )

    def _wait_to_connect(self, pause_seconds: float) -> bool:
        """Wait for the pause, and while paused; False once closing."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing, pause_seconds)
            self._changed.wait_for(lambda: self._closing or not self.paused)
            return not self._closing

    def _run_connection(self) -> str:
        """One connection from beginning to end; returns why it ended."""
        with self._changed:
            self._attempts += 1
            connection = self._connection = _Connection(
                self._attempts, self._queues, self._on_consuming, self._on_delivery
            )
        try:
            if self.paused or self._closing:  # it came before there was a connection to close
                connection.close()
            return connection.run()
        except Exception as error:  # noqa: BLE001 - whatever failed, the worker reads from the log
            return repr(error)
        finally:
            self._connection = None

    def _on_consuming(self) -> None:
        with self._changed:
            self.connection_number = self._attempts
            self.connected = True
            self._changed.notify_all()
        log.info("Consuming from the bus.")

    def _on_delivery(self, delivery: Delivery) -> None:
        with self._changed:
            if not self.paused:
                self._waiting.append(delivery)
                self._changed.notify()


class _Queues(NamedTuple):
    bus_url: str
    namespace: str
    name: str
    partitions: int
    prefetch: int


class _Connection:
    """One AMQP connection with one channel; anything unexpected ends it."""

    def __init__(
        self,
        number: int,
        queues: _Queues,
        on_consuming: Callable[[], None],
        on_delivery: Callable[[Delivery], None],
    ) -> None:
        self.number = number
        self._queues = queues
        self._on_consuming = on_consuming
        self._on_delivery = on_delivery
        self._groups = range(min(topology.GROUPS, queues.partitions))
        self._consuming = 0
        self._unbound = 0
        self._deleted = 0
        self._is_deleting = False
        self._reason = ""
        self._channel: Any = None
        self._loop = IOLoop()
        self._connection: Any = None

    def run(self) -> str:
        """Consume until the connection ends; returns why it ended."""
        try:
            self._connection = SelectConnection(
                topology.parameters(self._queues.bus_url),
                on_open_callback=lambda connection: connection.channel(on_open_callback=self._open),
                on_open_error_callback=self._stop_loop,
                on_close_callback=self._stop_loop,
                custom_ioloop=self._loop,
            )
            self._loop.start()
        finally:
            self._loop.close()
        return self._reason

    def close(self) -> None:
        """Close the connection; from any thread."""
        self._loop.add_callback_threadsafe(lambda: self._close("closed by us"))

    def delete_queues(self) -> None:
        """Delete the queues, then close; from any thread."""
        self._loop.add_callback_threadsafe(self._delete_queues)

    def ack_through(self, tag: int) -> None:
        """Acknowledge the message and all before it; from any thread."""
        self._loop.add_callback_threadsafe(lambda: self._ack(tag))

    def _ack(self, tag: int) -> None:
        if self._channel is not None and self._channel.is_open:
            self._channel.basic_ack(tag, multiple=True)

    def _delete_queues(self) -> None:
        if self._channel is None or not self._channel.is_open:
            self._close("closed by us")
            return
        # Publishing to a quorum queue that is being deleted ends the publisher's channel with an
        # internal error, or leaves it without confirms (RabbitMQ 3.10): unbind it first.
        self._is_deleting = True
        for group in self._groups:
            for key in self._keys(group):
                self._channel.queue_unbind(
                    self._queue(group), self._exchange, key, callback=self._count_unbound
                )

    def _count_unbound(self, _frame: Method) -> None:
        self._unbound += 1
        if self._unbound == self._queues.partitions:
            for group in self._groups:
                self._channel.queue_delete(self._queue(group), callback=self._count_deleted)

    def _count_deleted(self, _frame: Method) -> None:
        self._deleted += 1
        if self._deleted == len(self._groups):
            self._close("closed by us")

    def _cancel(self, _frame: Method) -> None:
        if not self._is_deleting:
            self._close("a queue was deleted or has expired")

    def _close(self, reason: str) -> None:
        self._reason = self._reason or reason
        connection = self._connection
        if connection is None or connection.is_closed:
            self._loop.stop()
        elif not connection.is_closing:
            connection.close()

    def _stop_loop(self, _connection: object, reason: BaseException | str) -> None:
        self._reason = self._reason or repr(reason)
        self._loop.stop()

    def _open(self, channel: Channel) -> None:
        self._channel = channel
        channel.add_on_close_callback(lambda _, reason: self._close(repr(reason)))
        channel.add_on_cancel_callback(self._cancel)
        channel.basic_qos(prefetch_count=self._queues.prefetch)
        channel.exchange_declare(self._exchange, exchange_type="topic", durable=True)
        for group in self._groups:
            channel.queue_declare(
                self._queue(group),
                durable=True,
                arguments=dict(topology.QUEUE_ARGUMENTS),
                callback=partial(self._consume, group),
            )

    @property
    def _exchange(self) -> str:
        return topology.exchange(self._queues.namespace)

    def _keys(self, group: int) -> Iterable[str]:
        return topology.bindings(group, self._queues.partitions)

    def _queue(self, group: int) -> str:
        return topology.queue(self._queues.namespace, self._queues.name, group)

    def _consume(self, group: int, declared: Method) -> None:
        if self._is_deleting:
            return
        queue = self._queue(group)
        if not declared.method.consumer_count:
            # It filled up while it had no consumer. The worker first reads the log in bulk, and so
            # has all of this already.
            self._channel.queue_purge(queue)
        for key in self._keys(group):
            self._channel.queue_bind(queue, self._exchange, key)
        self._channel.basic_consume(queue, self._deliver, callback=self._count_consuming)

    def _count_consuming(self, _frame: Method) -> None:
        self._consuming += 1
        if self._consuming == len(self._groups):
            self._on_consuming()

    def _deliver(
        self, _channel: Channel, method: Basic.Deliver, _properties: BasicProperties, body: bytes
    ) -> None:
        self._on_delivery(Delivery(self.number, method.delivery_tag, body))
