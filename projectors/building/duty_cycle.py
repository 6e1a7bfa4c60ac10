"""Duty cycle: how long a builder rests, so that it leaves the machine to the projectors."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import process_time, thread_time


class DutyCycle:
    """A builder that rests after its work, as long as others wanted the interpreter meanwhile.

    Builders share it with the projectors that feed them. Measured with all of them at work on 2
    cores, rests as long as the work: 36k events/s are taken in (67k without builders), and 943
    lists are there 4 s later; rests three times as long: 11 s. A builder that is alone at work, as
    the last one after an import, holds nobody up and need not rest.
    """

    pause_seconds: float

    def __init__(self, *, pause_seconds: float) -> None:
        self._least_seconds = self.pause_seconds = pause_seconds

    @contextmanager
    def working(self) -> Iterator[None]:
        """Measures the work inside: what it had of the processor, and what the others had."""
        mine, all_ = thread_time(), process_time()
        try:
            yield
        finally:
            worked = thread_time() - mine
            others = process_time() - all_ - worked
            self.pause_seconds = max(self._least_seconds, min(worked, others))
