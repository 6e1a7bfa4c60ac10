"""How do messages reach a worker, whatever becomes of the broker?"""

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

log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0


class Delivery(NamedTuple):
    """A message that was taken; acknowledged by ``ack_through``."""

    life: int
    tag: int
    body: bytes


class Subscription:
    """A worker's queues, served by a thread that connects again by itself.

    Nothing here raises because of the broker: without it there are just no messages.
    """

    def __init__(
        self, bus_url: str, namespace: str, name: str, partitions: int, *, prefetch: int = 1000
    ) -> None:
        self._queues = _Queues(bus_url, namespace, name, partitions, prefetch)
        self._changed = Condition()
        self._waiting: deque[Delivery] = deque()
        self._connected = False
        self._life = 0
        self._lives = 0
        self._now: _Life | None = None
        self._paused = False
        self._closing = False
        self._thread = Thread(target=self._run, name="bus", daemon=True)
        self._thread.start()

    @property
    def connected(self) -> bool:
        """Whether messages come in now."""
        return self._connected

    @property
    def paused(self) -> bool:
        """Whether it has left the bus until ``resume``."""
        return self._paused

    @property
    def life(self) -> int:
        """Raised whenever messages begin to come in anew: what passed before is only in the log."""
        return self._life

    def take(self, limit: int, timeout_seconds: float) -> list[Delivery]:
        """What has come in, in order, waiting so long at most for the first."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing, timeout_seconds)
            return [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]

    def ack_through(self, deliveries: Sequence[Delivery]) -> None:
        """Say that these, and all that came before them, are taken care of."""
        life = self._now
        if life is None:
            return
        tags = [delivery.tag for delivery in deliveries if delivery.life == life.number]
        if tags:
            life.ack_through(max(tags))

    def pause(self) -> None:
        """Leave the bus; messages that wait here are forgotten, the log has them.

        The queues go, too: 100,000 messages that nobody will ever read cost the broker 10 s of its
        processor, unroutable ones 4 s. Another worker that waits at them comes again by itself.
        """
        with self._changed:
            self._paused = True
            self._waiting.clear()
        life = self._now
        if life is not None:
            life.abandon()

    def resume(self) -> None:
        """Come back to the bus."""
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    def close(self) -> None:
        """Leave the bus for good."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._end_life()
        self._thread.join(timeout=5)

    def _end_life(self) -> None:
        life = self._now
        if life is not None:
            life.end()

    def _run(self) -> None:
        pause_seconds = 0.0
        while self._is_wanted(pause_seconds):
            reason = self._live()
            lasted = self._connected
            self._connected = False
            pause_seconds = (
                _FIRST_PAUSE_SECONDS
                if lasted
                else min(2 * pause_seconds + _FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)
            )
            if not self._paused and not self._closing:
                log.warning("Not on the bus, the log stands in: %s", reason)

    def _is_wanted(self, pause_seconds: float) -> bool:
        """Wait until there is a reason to connect; False: never again."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing, pause_seconds)
            self._changed.wait_for(lambda: self._closing or not self._paused)
            return not self._closing

    def _live(self) -> str:
        """One connection from beginning to end; why it ended."""
        with self._changed:
            self._lives += 1
            life = self._now = _Life(self._lives, self._queues, self._begun, self._came)
        try:
            if self._paused or self._closing:  # said so while the life was in the making
                life.end()
            return life.run()
        except Exception as error:  # noqa: BLE001 - whatever broke on the way, the log stands in
            return repr(error)
        finally:
            self._now = None

    def _begun(self) -> None:
        with self._changed:
            self._life = self._lives
            self._connected = True
            self._changed.notify_all()
        log.info("On the bus.")

    def _came(self, delivery: Delivery) -> None:
        with self._changed:
            if not self._paused:
                self._waiting.append(delivery)
                self._changed.notify()


class _Queues(NamedTuple):
    bus_url: str
    namespace: str
    name: str
    partitions: int
    prefetch: int


class _Life:
    """One connection with one channel; anything unexpected ends it."""

    def __init__(
        self,
        number: int,
        queues: _Queues,
        on_begin: Callable[[], None],
        on_delivery: Callable[[Delivery], None],
    ) -> None:
        self.number = number
        self._queues = queues
        self._on_begin = on_begin
        self._on_delivery = on_delivery
        self._groups = range(min(topology.GROUPS, queues.partitions))
        self._consuming = 0
        self._unbound = 0
        self._abandoned = 0
        self._is_leaving = False
        self._reason = ""
        self._channel: Any = None
        self._loop = IOLoop()
        self._connection: Any = None

    def run(self) -> str:
        """Take messages until the end; why it came."""
        try:
            self._connection = SelectConnection(
                topology.parameters(self._queues.bus_url),
                on_open_callback=lambda connection: connection.channel(on_open_callback=self._open),
                on_open_error_callback=self._stop,
                on_close_callback=self._stop,
                custom_ioloop=self._loop,
            )
            self._loop.start()
        finally:
            self._loop.close()
        return self._reason

    def end(self) -> None:
        """Close the connection; from any thread."""
        self._loop.add_callback_threadsafe(lambda: self._leave("we leave"))

    def abandon(self) -> None:
        """Delete the queues, then end; from any thread."""
        self._loop.add_callback_threadsafe(self._abandon)

    def ack_through(self, tag: int) -> None:
        """Acknowledge the message and all before it; from any thread."""
        self._loop.add_callback_threadsafe(lambda: self._ack(tag))

    def _ack(self, tag: int) -> None:
        if self._channel is not None and self._channel.is_open:
            self._channel.basic_ack(tag, multiple=True)

    def _abandon(self) -> None:
        if self._channel is None or not self._channel.is_open:
            self._leave("we leave")
            return
        # Publishing to a quorum queue that is being deleted ends the publisher's channel with an
        # internal error, or leaves it without confirms (RabbitMQ 3.10): nothing may lead to it.
        self._is_leaving = True
        for group in self._groups:
            for key in self._keys(group):
                self._channel.queue_unbind(
                    self._queue(group), self._exchange, key, callback=self._count_unbound
                )

    def _count_unbound(self, _frame: Method) -> None:
        self._unbound += 1
        if self._unbound == self._queues.partitions:
            for group in self._groups:
                self._channel.queue_delete(self._queue(group), callback=self._count_abandoned)

    def _count_abandoned(self, _frame: Method) -> None:
        self._abandoned += 1
        if self._abandoned == len(self._groups):
            self._leave("we leave")

    def _cancel(self, _frame: Method) -> None:
        if not self._is_leaving:
            self._leave("a queue was deleted or has expired")

    def _leave(self, reason: str) -> None:
        self._reason = self._reason or reason
        connection = self._connection
        if connection is None or connection.is_closed:
            self._loop.stop()
        elif not connection.is_closing:
            connection.close()

    def _stop(self, _connection: object, reason: BaseException | str) -> None:
        self._reason = self._reason or repr(reason)
        self._loop.stop()

    def _open(self, channel: Channel) -> None:
        self._channel = channel
        channel.add_on_close_callback(lambda _, reason: self._leave(repr(reason)))
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
        if self._is_leaving:
            return
        queue = self._queue(group)
        if not declared.method.consumer_count:
            # It grew while nobody took from it. The worker reads that from the log, in bulk, before
            # it takes from here: all of this would be old news.
            self._channel.queue_purge(queue)
        for key in self._keys(group):
            self._channel.queue_bind(queue, self._exchange, key)
        self._channel.basic_consume(queue, self._deliver, callback=self._count)

    def _count(self, _frame: Method) -> None:
        self._consuming += 1
        if self._consuming == len(self._groups):
            self._on_begin()

    def _deliver(
        self, _channel: Channel, method: Basic.Deliver, _properties: BasicProperties, body: bytes
    ) -> None:
        self._on_delivery(Delivery(self.number, method.delivery_tag, body))
