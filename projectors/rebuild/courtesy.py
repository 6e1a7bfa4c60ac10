"""When does a rebuild let the live read models go first?

While workers are at work, but the live models are seconds behind the log, it waits between pages.
It never stops: after a moment it reads one more.
"""

from collections.abc import Sequence
from time import monotonic, sleep, time

from projectors.live import Live
from projectors.pointers import Pointers

BEHIND_SECONDS = 3.0
"""A worker compares every second, so what is level seems up to a second behind."""

_PAUSE_SECONDS = 0.25
_LOOK_SECONDS = 1.0


class Courtesy:
    """Knows how far behind the live models are."""

    def __init__(self, live: Live, pointers: Pointers, names: Sequence[str]) -> None:
        self._live = live
        self._pointers = pointers
        self._names = names
        self._looked_at = float("-inf")
        self._is_due = False

    def wait(self) -> None:
        """Let others go first, if they need it."""
        if monotonic() - self._looked_at >= _LOOK_SECONDS:
            self._is_due = self._look()
            self._looked_at = monotonic()
        if self._is_due:
            sleep(_PAUSE_SECONDS)

    def _look(self) -> bool:
        at_work = {name for name, _ in self._pointers.followed()}
        return any(
            self.behind_seconds(name) > BEHIND_SECONDS for name in self._names if name in at_work
        )

    def behind_seconds(self, name: str) -> float:
        """How long ago the live model was level with the log; 0 if nobody knows."""
        level = self._live.level_at(name)
        return 0.0 if level is None else max(0.0, time() - level)
