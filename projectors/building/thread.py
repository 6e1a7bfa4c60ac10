"""Builder thread: builds when events were applied, when a reader waits, and as time passes."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Thread

from projectors.building.builder import Builder
from projectors.errors import TRANSIENT_ERRORS

log = logging.getLogger(__name__)

_RETRY_SECONDS = 0.5
_THROTTLED_SECONDS = 5.0


class BuilderThread:
    def __init__(self, builder: Builder, *, failed: Callable[[BaseException], None]) -> None:
        self._builder = builder
        self._failed = failed
        self._woken = Event()
        self._urged = Event()
        self._is_throttled = False
        self._stopping = False
        self.has_built = False
        """Whether one build is complete: everything from before the start is built."""
        self._thread = Thread(target=self._run, name=f"build-{builder.name}", daemon=True)

    def start(self) -> None:
        """Start with a build, even if nothing was marked."""
        self.wake()
        self._thread.start()

    def wake(self) -> None:
        """Request a build: there may be new marks."""
        self._woken.set()

    def urge(self) -> None:
        """Request a build without a pause: a reader waits for it."""
        self._urged.set()
        self._woken.set()

    def throttle(self) -> None:
        """Build seldom: the state is far behind, so derived data would be outdated at once."""
        self._is_throttled = True

    def unthrottle(self) -> None:
        """End ``throttle`` and build at once: the state is level again."""
        if self._is_throttled:
            self._is_throttled = False
            self.urge()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def leave(self) -> None:
        """Stop after the present build, without waiting for it."""
        self._stopping = True
        self.urge()

    def join(self) -> None:
        self._thread.join(timeout=10)

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._woken.wait(self._builder.interval_seconds)
                self._woken.clear()
                pause_seconds = self._build()
                self._urged.wait(
                    max(pause_seconds, _THROTTLED_SECONDS if self._is_throttled else 0)
                )
                self._urged.clear()
        except BaseException as error:
            self._failed(error)
            raise

    def _build(self) -> float:
        """Build once; return the pause after it in seconds."""
        if self._stopping:
            return 0
        try:
            self._builder.build(datetime.now(UTC))
        except Exception as error:
            is_bug = not isinstance(error, TRANSIENT_ERRORS)
            log.log(
                logging.ERROR if is_bug else logging.WARNING,
                "%s: build failed%s, trying again in %.1f s: %s",
                *(self._builder.name, " by a bug" if is_bug else "", _RETRY_SECONDS, error),
                exc_info=is_bug,
            )
            self._woken.set()
            return _RETRY_SECONDS
        self.has_built = True
        return self._builder.pause_seconds
