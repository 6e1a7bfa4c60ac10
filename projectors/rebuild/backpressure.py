"""Backpressure: a rebuild waits while live read models are behind the log.

While workers run and a live model that they follow is seconds behind, it waits between pages and
between steps of building. Every model counts, not only those being rebuilt: all share the log,
Redis and the processors. It never stops: after each wait it makes one step.
"""

from collections.abc import Iterable
from time import monotonic, sleep, time

from projectors.generations.live import Live
from projectors.generations.pointers import Pointers

BEHIND_SECONDS = 3.0
"""Workers compare once a second, so a level model seems up to a second behind."""

_PAUSE_SECONDS = 0.25
_POLL_SECONDS = 1.0


class Backpressure:
    """Decides whether live models are behind, and waits for them."""

    def __init__(self, live: Live, pointers: Pointers) -> None:
        self._live = live
        self._pointers = pointers
        self._polled_at = float("-inf")
        self._is_behind = False

    def wait(self) -> None:
        """Wait a moment if a live model is behind."""
        if monotonic() - self._polled_at >= _POLL_SECONDS:
            self._is_behind = self._is_any_behind()
            self._polled_at = monotonic()
        if self._is_behind:
            sleep(_PAUSE_SECONDS)

    def _is_any_behind(self) -> bool:
        followed = self._pointers.snapshot().live.items() & self._pointers.followed()
        return behind_seconds(self._live, (name for name, _ in followed)) > BEHIND_SECONDS


def behind_seconds(live: Live, names: Iterable[str]) -> float:
    """How long ago the model furthest behind was level with the log; 0 if unknown."""
    levels = [level for level in map(live.level_at, names) if level is not None]
    return max(0.0, time() - min(levels)) if levels else 0.0
