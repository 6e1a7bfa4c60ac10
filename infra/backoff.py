"""Exponential back-off: pauses that double after each failure, up to a cap."""

from random import SystemRandom

_random = SystemRandom()


class Backoff:
    """The pauses of one retry loop.

    With ``jitter`` a pause is anywhere between 0 and its length, so that callers that failed
    together don't come back together.
    """

    def __init__(
        self, first_seconds: float, longest_seconds: float, *, jitter: bool = False
    ) -> None:
        self._first_seconds = self._seconds = first_seconds
        self._longest_seconds = longest_seconds
        self._jitter = jitter

    def next_seconds(self) -> float:
        """The next pause."""
        pause = self._seconds
        self._seconds = min(2 * pause, self._longest_seconds)
        return _random.uniform(0, pause) if self._jitter else pause

    def reset(self) -> None:
        """Start again with the first pause, after a success."""
        self._seconds = self._first_seconds
