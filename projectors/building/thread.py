"""Builder thread: builds when events were applied, when a reader waits, and as time passes."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Thread

from elasticsearch import ApiError, TransportError
from redis.exceptions import RedisError

from projectors.building.builder import Builder
from projectors.errors import RetryLater

log = logging.getLogger(__name__)

_AGAIN_SECONDS = 0.5
_HELD_SECONDS = 5.0


class BuilderThread:
    """Runs one builder: when events were applied, when a reader waits, and as time passes."""

    def __init__(self, builder: Builder, *, failed: Callable[[BaseException], None]) -> None:
        self._builder = builder
        self._failed = failed
        self._woken = Event()
        self._urged = Event()
        self._is_held = False
        self._stopping = False
        self.has_built = False
        """Whether it has been through once: all that there was when it began is built."""
        self._thread = Thread(target=self._run, name=f"build-{builder.name}", daemon=True)

    @property
    def name(self) -> str:
        """The builder's."""
        return self._builder.name

    def start(self) -> None:
        """Begin, with what there is: somebody may wait for it to have been through once."""
        self.wake()
        self._thread.start()

    def wake(self) -> None:
        """There may be something to build."""
        self._woken.set()

    def urge(self) -> None:
        """Someone waits for it: build without a pause."""
        self._urged.set()
        self._woken.set()

    def hold(self) -> None:
        """The state is far behind: build seldom, what is built now is old in a moment."""
        self._is_held = True

    def release(self) -> None:
        """The state is level again: build at once."""
        if self._is_held:
            self._is_held = False
            self.urge()

    @property
    def is_alive(self) -> bool:
        """Whether it may still be building."""
        return self._thread.is_alive()

    def leave(self) -> None:
        """Finish what is being built, and no more; does not wait for that."""
        self._stopping = True
        self.urge()

    def join(self) -> None:
        """Wait until it has left."""
        self._thread.join(timeout=10)

    def stop(self) -> None:
        """Leave, and wait for that."""
        self.leave()
        self.join()

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._woken.wait(self._builder.interval_seconds)
                self._woken.clear()
                pause_seconds = self._build()
                self._urged.wait(max(pause_seconds, _HELD_SECONDS if self._is_held else 0))
                self._urged.clear()
        except BaseException as error:
            self._failed(error)
            raise

    def _build(self) -> float:
        """Build once; how long to rest after that."""
        if self._stopping:
            return 0
        try:
            self._builder.build(datetime.now(UTC))
        except (RetryLater, RedisError, TransportError, ApiError, OSError) as error:
            log.warning("%s will build again: %s", self.name, error)
            self._woken.set()
            return _AGAIN_SECONDS
        except Exception:
            log.exception("%s could not build and tries again", self.name)
            self._woken.set()
            return _AGAIN_SECONDS
        self.has_built = True
        return self._builder.pause_seconds
