"""Publisher with confirms: many messages in flight, none lost unnoticed."""

from collections.abc import Callable
from time import monotonic
from typing import Any

from pika import BasicProperties, DeliveryMode, SelectConnection
from pika.adapters.select_connection import IOLoop
from pika.channel import Channel
from pika.exceptions import AMQPError
from pika.frame import Method
from pika.spec import Basic

from events.bus import topology
from events.cloudevent import CONTENT_TYPE
from events.recorded import Position

_CLOSE_POLLS = 10
_CONFIRM_TIMEOUT_SECONDS = 10.0
"""For the oldest message: a confirm is lost when its queue is deleted (RabbitMQ 3.10)."""


class BusLost(Exception):
    """The connection was lost, or the broker refused a message: start over with a new publisher."""


class Publisher:
    """One connection: made, driven by ``poll``, and thrown away at the first failure.

    Not thread-safe, except for ``wake``.
    """

    def __init__(self, bus_url: str, namespace: str, *, window: int) -> None:
        self._exchange = topology.exchange(namespace)
        self._window = window
        self.is_ready = False
        """Whether the exchange is declared and messages can be sent."""
        self._failure: str | None = None
        self._next_tag = 1
        self._lowest = 1
        self._unconfirmed: dict[int, Position] = {}
        self._oldest, self._oldest_since = 0, monotonic()
        self._is_blocked = False
        self._confirmed: list[Position] = []
        self._channel: Any = None
        self._loop = IOLoop()
        self._loop.activate_poller()
        self._connection = SelectConnection(
            topology.parameters(bus_url),
            on_open_callback=self._open_channel,
            on_open_error_callback=self._fail,
            on_close_callback=self._fail,
            custom_ioloop=self._loop,
        )

    @property
    def capacity(self) -> int:
        """How many more messages the window lets in."""
        return self._window - len(self._unconfirmed) if self.is_ready else 0

    @property
    def unconfirmed(self) -> int:
        """How many messages wait for a confirm."""
        return len(self._unconfirmed)

    def publish(self, position: Position, type_: str, body: bytes) -> None:
        """Send an event; it is on the bus only once ``poll`` has returned its position."""
        properties = BasicProperties(
            content_type=CONTENT_TYPE,
            message_id=f"{position.partition}-{position.offset}",
            delivery_mode=DeliveryMode.Persistent,
        )
        self._unconfirmed[self._next_tag] = position
        self._next_tag += 1
        key = topology.routing_key(position.partition, type_)
        try:
            self._channel.basic_publish(self._exchange, key, body, properties)
        except (AMQPError, OSError) as error:
            self._fail(None, error)

    def poll(self, seconds: float) -> list[Position]:
        """Let the connection work, at most so long; the positions confirmed. Raises BusLost."""
        if self._failure is None:
            self._work(seconds)
            self._check_confirm_timeout()
        confirmed, self._confirmed = self._confirmed, []
        if not confirmed and self._failure is not None:
            raise BusLost(self._failure)
        return confirmed

    def wake(self) -> None:
        """End the wait of ``poll``; from any thread."""
        self._loop.add_callback_threadsafe(lambda: None)

    def close(self) -> None:
        """Close the connection; nothing more is confirmed."""
        if not (self._connection.is_closed or self._connection.is_closing):
            self._guard(self._connection.close)
        for _ in range(_CLOSE_POLLS):
            if self._connection.is_closed:
                break
            self._work(0.1)
        self._loop.deactivate_poller()
        self._loop.close()

    def _check_confirm_timeout(self) -> None:
        """Fail if the oldest confirm is overdue, except while the broker blocks publishers."""
        oldest = next(iter(self._unconfirmed), 0)
        if oldest != self._oldest or not oldest or self._is_blocked:
            self._oldest, self._oldest_since = oldest, monotonic()
        elif monotonic() - self._oldest_since > _CONFIRM_TIMEOUT_SECONDS:
            self._fail(None, f"no confirm for message {oldest} of this connection")

    def _work(self, seconds: float) -> None:
        alarm = self._loop.call_later(seconds, lambda: None)
        self._guard(self._loop.poll)
        self._guard(self._loop.process_timeouts)
        self._loop.remove_timeout(alarm)

    def _guard(self, step: Callable[[], None]) -> None:
        try:
            step()
        except (AMQPError, OSError) as error:
            self._fail(None, error)

    def _open_channel(self, connection: SelectConnection) -> None:
        connection.add_on_connection_blocked_callback(self._block)
        connection.add_on_connection_unblocked_callback(self._unblock)
        connection.channel(on_open_callback=self._declare)

    def _declare(self, channel: Channel) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._fail)
        channel.exchange_declare(
            self._exchange,
            exchange_type="topic",
            durable=True,
            callback=lambda _: channel.confirm_delivery(
                self._on_confirm, callback=self._mark_ready
            ),
        )

    def _block(self, *_: object) -> None:
        self._is_blocked = True

    def _unblock(self, *_: object) -> None:
        self._is_blocked = False

    def _mark_ready(self, _frame: Method) -> None:
        self.is_ready = True

    def _fail(self, _source: object, reason: BaseException | str) -> None:
        self.is_ready = False
        self._failure = self._failure or str(reason) or type(reason).__name__

    def _on_confirm(self, frame: Method) -> None:
        confirm = frame.method
        if isinstance(confirm, Basic.Nack):
            self._fail(
                None, f"the broker refused message {confirm.delivery_tag} of this connection"
            )
            return
        for tag in range(
            self._lowest if confirm.multiple else confirm.delivery_tag, confirm.delivery_tag + 1
        ):
            if tag in self._unconfirmed:
                self._confirmed.append(self._unconfirmed.pop(tag))
        if confirm.multiple:
            self._lowest = confirm.delivery_tag + 1
