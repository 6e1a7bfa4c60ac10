"""In-memory broker that delivers, confirms and fails as a test says.

The relay's own code publishes to it. A message is on the wire, then in the broker's queue, then
confirmed; the connection can be lost between any two of these.
"""

from collections.abc import Sequence

from events.bus import BusLost
from events.recorded import Position


class Broker:
    """One queue and all publishers that ever connected."""

    def __init__(self) -> None:
        self.queue: list[bytes] = []
        self.has: set[Position] = set()
        """Positions of all messages that ever arrived."""
        self.publishers: list[HandPublisher] = []

    def connect(self, _url: str, _namespace: str, *, window: int) -> "HandPublisher":
        """Publisher for one relay session: replaces events.bus.Publisher."""
        publisher = HandPublisher(self, window)
        self.publishers.append(publisher)
        return publisher


class HandPublisher:
    """One connection to the broker."""

    is_ready = True

    def __init__(self, broker: Broker, window: int) -> None:
        self._broker = broker
        self._window = window
        self._wire: list[tuple[Position, bytes]] = []
        self._unconfirmed: list[Position] = []
        self._confirmed: list[Position] = []
        self._is_lost = False

    # ------------------------------------------------------------------- for the relay

    @property
    def capacity(self) -> int:
        return 0 if self._is_lost else self._window - self.unconfirmed

    @property
    def unconfirmed(self) -> int:
        return len(self._wire) + len(self._unconfirmed)

    def publish(self, position: Position, _type: str, body: bytes) -> None:
        self._wire.append((position, body))

    def poll(self, _seconds: float) -> list[Position]:
        confirmed, self._confirmed = self._confirmed, []
        if self._is_lost and not confirmed:
            raise BusLost("lost by the test")
        return confirmed

    def wake(self) -> None:
        pass

    def close(self) -> None:
        self.lose()

    # ------------------------------------------------------------------- for the test

    def arrive(self, count: int) -> None:
        """Move ``count`` messages from the wire to the queue, in order."""
        arrived, self._wire = self._wire[:count], self._wire[count:]
        for position, body in arrived:
            self._broker.queue.append(body)
            self._broker.has.add(position)
            self._unconfirmed.append(position)

    def confirm(self, indexes: Sequence[int]) -> None:
        """Confirm some messages in any order."""
        for index in indexes:
            if self._unconfirmed:
                self._confirmed.append(self._unconfirmed.pop(index % len(self._unconfirmed)))

    def lose(self) -> None:
        """Lose the connection and everything on the wire."""
        self._wire.clear()
        self._unconfirmed.clear()
        self._is_lost = True
