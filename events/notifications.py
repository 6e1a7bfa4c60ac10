"""How do those who follow the log learn at once that there is more?

A hint is only that: numbers of partitions, joined by commas, on a Redis channel. Who misses one
finds the events at the next poll, so nothing here may fail a command or hold it up.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Thread
from time import sleep

from redis import Redis
from redis.exceptions import RedisError

from infra import clients
from infra.config import config

log = logging.getLogger(__name__)

# The first hint goes out at once; under load this much is saved up. A hint for each command took a
# fifth of its time.
_PAUSE_SECONDS = 0.005


def log_channel() -> str:
    """Where partitions with new events are announced."""
    return f"{config().namespace}:log"


def waiting_readers_channel() -> str:
    """Where a reader that waits says which model it waits for."""
    return f"{config().namespace}:wanted"


class Announcer:
    """Publishes from a thread of its own; hints that pile up go out together, each once."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._waiting: set[int] = set()
        self._changed = Condition()
        self._thread: Thread | None = None

    def announce(self, partitions: Iterator[int] | tuple[int, ...]) -> None:
        """Say that the partitions have new events; returns at once."""
        with self._changed:
            self._waiting.update(partitions)
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._run, name="hints", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                partitions, self._waiting = self._waiting, set()
            try:
                self._redis.publish(log_channel(), ",".join(map(str, partitions)))
                sleep(_PAUSE_SECONDS)
            except RedisError as error:
                log.warning("A hint was not sent, the poll will find the events: %s", error)


_announcers: dict[int, Announcer] = {}


def announce(*partitions: int) -> None:
    """Say that the partitions have new events; never blocks, never raises."""
    if not partitions:
        return
    redis = clients.redis()
    _announcers.setdefault(id(redis), Announcer(redis)).announce(partitions)


class NotificationListener:
    """Collects what is said on the channels; wakes whoever waits."""

    def __init__(self, redis: Redis, *channels: str) -> None:
        self._pubsub = redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call] # its own
        self._channels = channels
        self._heard: set[bytes] = set()
        self._changed = Condition()
        self._stopping = False
        self._thread = Thread(target=self._run, name="listener", daemon=True)
        self._thread.start()

    def wait(self, timeout_seconds: float) -> set[bytes]:
        """What was said since the last call; waits so long for the first word."""
        with self._changed:
            self._changed.wait_for(lambda: self._heard or self._stopping, timeout_seconds)
            heard, self._heard = self._heard, set()
            return heard

    def poke(self, *words: bytes) -> None:
        """Wake who waits."""
        with self._changed:
            self._heard.update(words or (b"",))
            self._changed.notify_all()

    def close(self) -> None:
        """Stop listening."""
        self._stopping = True
        self.poke()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._pubsub.subscribe(*self._channels)
                while not self._stopping:
                    message = self._pubsub.get_message(timeout=0.5)
                    if message and message["type"] == "message":
                        self.poke(*message["data"].split(b","))
            except RedisError as error:
                log.warning("Not hearing hints for a moment: %s", error)
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping, 0.5)
        self._pubsub.close()


@contextmanager
def listening(redis: Redis, *channels: str) -> Iterator[NotificationListener]:
    """A listener that is closed in the end."""
    listener = NotificationListener(redis, *channels)
    try:
        yield listener
    finally:
        listener.close()
