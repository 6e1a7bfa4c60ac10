"""Which partitions are said to have new events, and who must be woken?"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread

from redis import Redis

from events.notifications import NotificationListener, log_channel


class News:
    """What was announced since somebody asked."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._partitions: set[int] = set()
        self._alarm: Callable[[], None] | None = None

    def on_wake(self, alarm: Callable[[], None] | None) -> None:
        """Call this, from another thread, when there is news."""
        with self._lock:
            self._alarm = alarm

    def wake(self) -> None:
        """Call the alarm."""
        with self._lock:
            if self._alarm:
                self._alarm()

    def add(self, partitions: set[int]) -> None:
        """These have new events."""
        with self._lock:
            self._partitions |= partitions
        self.wake()

    def take(self) -> set[int]:
        """Those that were added since the last time."""
        with self._lock:
            taken, self._partitions = self._partitions, set()
            return taken


@contextmanager
def hearing(redis: Redis) -> Iterator[News]:
    """News that hears what command_api announces."""
    news, ending = News(), Event()
    listener = NotificationListener(redis, log_channel())

    def listen() -> None:
        while not ending.is_set():
            words = listener.wait(1)
            news.add({int(word) for word in words if word.isdigit()})

    thread = Thread(target=listen, name="news", daemon=True)
    thread.start()
    try:
        yield news
    finally:
        ending.set()
        listener.close()
        thread.join(timeout=5)
