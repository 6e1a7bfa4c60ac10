"""How are messages published so that none is lost and many are under way at once?"""

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

_FAREWELL_TURNS = 10
_PATIENCE_SECONDS = 10.0
"""For the oldest message's confirm: it may have gone with a queue (RabbitMQ 3.10)."""


class BusLost(Exception):
    """The connection is gone, or the broker refused a message: begin again with a new publisher."""


class Publisher:
    """The life of one connection: made, driven by ``turn``, thrown away at the first trouble.

    Not safe to share between threads, except for ``wake``.
    """

    def __init__(self, bus_url: str, namespace: str, *, window: int) -> None:
        self._exchange = topology.exchange(namespace)
        self._window = window
        self._ready = False
        self._trouble: str | None = None
        self._next_tag = 1
        self._lowest = 1
        self._under_way: dict[int, Position] = {}
        self._oldest, self._oldest_since = 0, monotonic()
        self._is_blocked = False
        self._confirmed: list[Position] = []
        self._channel: Any = None
        self._loop = IOLoop()
        self._loop.activate_poller()
        self._connection = SelectConnection(
            topology.parameters(bus_url),
            on_open_callback=self._open_channel,
            on_open_error_callback=self._lose,
            on_close_callback=self._lose,
            custom_ioloop=self._loop,
        )

    @property
    def is_ready(self) -> bool:
        """Whether the exchange is there and messages can be sent."""
        return self._ready

    @property
    def room(self) -> int:
        """How many messages may be published now."""
        return self._window - len(self._under_way) if self._ready else 0

    @property
    def under_way(self) -> int:
        """How many messages wait for the broker's word."""
        return len(self._under_way)

    def publish(self, position: Position, type_: str, body: bytes) -> None:
        """Send an event's message; it counts only once ``turn`` gave its position back."""
        properties = BasicProperties(
            content_type=CONTENT_TYPE,
            message_id=f"{position.partition}-{position.offset}",
            delivery_mode=DeliveryMode.Persistent,
        )
        self._under_way[self._next_tag] = position
        self._next_tag += 1
        key = topology.routing_key(position.partition, type_)
        try:
            self._channel.basic_publish(self._exchange, key, body, properties)
        except (AMQPError, OSError) as error:
            self._lose(None, error)

    def turn(self, seconds: float) -> list[Position]:
        """Let the connection work, waiting so long at most; what was confirmed.

        Raises BusLost.
        """
        if self._trouble is None:
            self._work(seconds)
            self._watch()
        confirmed, self._confirmed = self._confirmed, []
        if not confirmed and self._trouble is not None:
            raise BusLost(self._trouble)
        return confirmed

    def wake(self) -> None:
        """End the waiting of ``turn``; from any thread."""
        self._loop.add_callback_threadsafe(lambda: None)

    def close(self) -> None:
        """Leave; nothing more is confirmed."""
        if not (self._connection.is_closed or self._connection.is_closing):
            self._do(self._connection.close)
        for _ in range(_FAREWELL_TURNS):
            if self._connection.is_closed:
                break
            self._work(0.1)
        self._loop.deactivate_poller()
        self._loop.close()

    def _watch(self) -> None:
        """Don't wait for ever for a confirm, but as long as it takes while the broker is full."""
        oldest = next(iter(self._under_way), 0)
        if oldest != self._oldest or not oldest or self._is_blocked:
            self._oldest, self._oldest_since = oldest, monotonic()
        elif monotonic() - self._oldest_since > _PATIENCE_SECONDS:
            self._lose(None, f"no word on message {oldest} of this connection")

    def _work(self, seconds: float) -> None:
        alarm = self._loop.call_later(seconds, lambda: None)
        self._do(self._loop.poll)
        self._do(self._loop.process_timeouts)
        self._loop.remove_timeout(alarm)

    def _do(self, step: Callable[[], None]) -> None:
        try:
            step()
        except (AMQPError, OSError) as error:
            self._lose(None, error)

    def _open_channel(self, connection: SelectConnection) -> None:
        connection.add_on_connection_blocked_callback(self._block)
        connection.add_on_connection_unblocked_callback(self._unblock)
        connection.channel(on_open_callback=self._declare)

    def _declare(self, channel: Channel) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._lose)
        channel.exchange_declare(
            self._exchange,
            exchange_type="topic",
            durable=True,
            callback=lambda _: channel.confirm_delivery(self._on_word, callback=self._begin),
        )

    def _block(self, *_: object) -> None:
        self._is_blocked = True

    def _unblock(self, *_: object) -> None:
        self._is_blocked = False

    def _begin(self, _frame: Method) -> None:
        self._ready = True

    def _lose(self, _whose: object, reason: BaseException | str) -> None:
        self._ready = False
        self._trouble = self._trouble or str(reason) or type(reason).__name__

    def _on_word(self, frame: Method) -> None:
        word = frame.method
        if isinstance(word, Basic.Nack):
            self._lose(None, f"the broker refused message {word.delivery_tag} of this connection")
            return
        for tag in range(
            self._lowest if word.multiple else word.delivery_tag, word.delivery_tag + 1
        ):
            if tag in self._under_way:
                self._confirmed.append(self._under_way.pop(tag))
        if word.multiple:
            self._lowest = word.delivery_tag + 1
