"""How long does a builder rest, so that it never takes more than its share of the machine?"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

# Builders share the interpreter with the projectors that feed them: at most a quarter of it each.
_RESTS_TIMES = 3


class Paced:
    """A builder that rests for some time, and longer after long work."""

    pause_seconds: float

    def __init__(self, *, pause_seconds: float) -> None:
        self._least_seconds = self.pause_seconds = pause_seconds

    @contextmanager
    def working(self) -> Iterator[None]:
        """Measures the work inside."""
        began = monotonic()
        try:
            yield
        finally:
            self.pause_seconds = max(self._least_seconds, _RESTS_TIMES * (monotonic() - began))
