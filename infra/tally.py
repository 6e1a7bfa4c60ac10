"""How is a busy user's limit kept without asking Redis at each request?

A process counts by itself and tells Redis when it has come to a fiftieth of the limit, or after a
second; near the limit, and for small limits, at each request. So a limit may be exceeded by a
fiftieth for each process. Asking every time was a quarter of what a command costs (0.15 of 0.54
ms).
"""

from threading import Lock
from time import monotonic

from redis import Redis

from infra.throttle import Throttle

_PARTS = 50
_FRESH_SECONDS = 1.0
_REMEMBERED = 10_000


class _Count:
    """What Redis said last, and what it was not told since."""

    __slots__ = ("asked", "known", "untold")

    def __init__(self) -> None:
        self.asked = float("-inf")
        self.known = 0
        self.untold = 0

    def may_wait(self, limit: int) -> bool:
        """Whether this one more need not be told yet."""
        part = limit // _PARTS
        return (
            self.untold < part
            and self.known + self.untold + part < limit
            and monotonic() - self.asked < _FRESH_SECONDS
        )


class Tally:
    """The counts of one process; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: dict[str, _Count] = {}

    def check(self, throttle: Throttle, redis: Redis) -> dict[str, str]:
        """Count and judge a request as Throttle.check does."""
        with self._lock:
            count = self._of(throttle.key)
            count.untold += 1
            told = 0 if count.may_wait(throttle.limit) else count.untold
            count.untold -= told
        if told:
            known = throttle.tell(redis, told)
            if known is None:
                return {}
            count.known, count.asked = known, monotonic()
        return throttle.judge(count.known + count.untold)

    def _of(self, key: str) -> _Count:
        if key not in self._counts:
            if len(self._counts) >= _REMEMBERED:
                self._counts.clear()
            self._counts[key] = _Count()
        return self._counts[key]
