"""What makes derived data from state?"""

from datetime import datetime
from typing import ClassVar, Protocol


class Builder(Protocol):
    """Recomputes derived data, idempotently. Runs in a thread of its own inside the worker."""

    name: ClassVar[str]
    """The model's."""
    interval_seconds: float
    """Looks by itself at least so often: time passes (decay) even where nothing happens."""
    pause_seconds: float
    """Rests at least so long between two looks; events that arrive meanwhile are built together."""

    def build(self, now: datetime) -> None:
        """Bring what is marked dirty up to its state, then note how far in the ``built`` hash.

        The marks and the checkpoints must be read in one step, before the state.
        """
