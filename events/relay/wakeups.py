"""Wake-ups of the relay: partitions announced on Redis, handed to the relay's thread."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread

from redis import Redis

from events.notifications import NotificationListener, log_channel


class Wakeups:
    """Partitions with new events, collected until the relay takes them; safe between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._partitions: set[int] = set()
        self._callback: Callable[[], None] | None = None

    def on_wake(self, callback: Callable[[], None] | None) -> None:
        """Set what is called, from another thread, when partitions are added."""
        with self._lock:
            self._callback = callback

    def wake(self) -> None:
        """Call the callback."""
        with self._lock:
            if self._callback:
                self._callback()

    def add(self, partitions: set[int]) -> None:
        """Add partitions that have new events."""
        with self._lock:
            self._partitions |= partitions
        self.wake()

    def take(self) -> set[int]:
        """Remove and return the partitions added so far."""
        with self._lock:
            taken, self._partitions = self._partitions, set()
            return taken


@contextmanager
def listening_wakeups(redis: Redis) -> Iterator[Wakeups]:
    """Collect, in a thread, what ``notifications.announce`` publishes."""
    wakeups, closing = Wakeups(), Event()
    listener = NotificationListener(redis, log_channel())

    def listen() -> None:
        while not closing.is_set():
            messages = listener.wait(1)
            wakeups.add({int(message) for message in messages if message.isdigit()})

    thread = Thread(target=listen, name="wakeups", daemon=True)
    thread.start()
    try:
        yield wakeups
    finally:
        closing.set()
        listener.close()
        thread.join(timeout=5)
