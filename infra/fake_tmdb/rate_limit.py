"""Sliding-window rate limit of the fake TMDb server."""

from collections import deque
from threading import Lock
from time import monotonic


class RequestLimit:
    """Allows a number of requests in any one second. Thread-safe."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._lock = Lock()
        self._taken: deque[float] = deque()
        self.allowed = 0
        self.refused = 0

    def allows(self) -> bool:
        """Count the request and return True when it is within the limit."""
        now = monotonic()
        with self._lock:
            while self._taken and self._taken[0] <= now - 1.0:
                self._taken.popleft()
            if len(self._taken) >= self._per_second:
                self.refused += 1
                return False
            self._taken.append(now)
            self.allowed += 1
            return True
