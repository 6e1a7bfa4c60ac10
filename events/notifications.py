"""Notifications of new events over Redis pub/sub.

A notification is the numbers of partitions, joined by commas. A missed one only delays its events
until the next poll, so nothing here may fail a command or block it.
"""

import logging
from contextlib import closing
from threading import Condition, Thread
from time import sleep

from redis import Redis
from redis.exceptions import RedisError

from infra import clients
from infra.config import config

log = logging.getLogger(__name__)

# The first notification goes out at once; under load they are collected for this pause. One for
# each command took a fifth of the command's time.
_PAUSE_SECONDS = 0.005


def log_channel() -> str:
    """The channel on which partitions with new events are announced."""
    return f"{config().namespace}:log"


def waiting_readers_channel() -> str:
    """The channel on which a waiting reader names the read model it waits for."""
    return f"{config().namespace}:wanted"


class _Announcer:
    """Publishes from a background thread; partitions that pile up go out together."""

    def __init__(self) -> None:
        self._waiting: set[int] = set()
        self._changed = Condition()
        self._thread = Thread()

    def announce(self, *partitions: int) -> None:
        """Announce partitions with new events; never blocks, never raises."""
        if not partitions:
            return
        with self._changed:
            self._waiting.update(partitions)
            if not self._thread.is_alive():
                self._thread = Thread(target=self._run, name="announcer", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                partitions, self._waiting = self._waiting, set()
            try:
                clients.redis().publish(log_channel(), ",".join(map(str, partitions)))
                sleep(_PAUSE_SECONDS)
            except RedisError as error:
                log.warning("Notification not sent; pollers will find the events: %s", error)


announce = _Announcer().announce


class NotificationListener:
    """Collects the messages of channels, in a thread; wakes the waiting thread."""

    def __init__(self, redis: Redis, *channels: str) -> None:
        self._pubsub = redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call] # its own
        self._channels = channels
        self._messages: set[bytes] = set()
        self._changed = Condition()
        self._stopping = False
        self._thread = Thread(target=self._run, name="listener", daemon=True)
        self._thread.start()

    def wait(self, timeout_seconds: float) -> set[bytes]:
        """The messages since the last call; waits for the first until the timeout."""
        with self._changed:
            self._changed.wait_for(lambda: self._messages or self._stopping, timeout_seconds)
            messages, self._messages = self._messages, set()
            return messages

    def wake(self, *messages: bytes) -> None:
        """Wake the waiting thread."""
        with self._changed:
            self._messages.update(messages or (b"",))
            self._changed.notify_all()

    def close(self) -> None:
        """Stop listening."""
        self._stopping = True
        self.wake()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._pubsub.subscribe(*self._channels)
                while not self._stopping:
                    message = self._pubsub.get_message(timeout=0.5)
                    if message and message["type"] == "message":
                        self.wake(*message["data"].split(b","))
            except RedisError as error:
                log.warning("Redis pub/sub connection lost; polling until it is back: %s", error)
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping, 0.5)
        self._pubsub.close()


def listening(redis: Redis, *channels: str) -> closing[NotificationListener]:
    """Listen during the block."""
    return closing(NotificationListener(redis, *channels))
