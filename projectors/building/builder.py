"""Builder protocols: recompute derived data from the state of a read model, and verify it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Protocol, runtime_checkable


class Builder(Protocol):
    """Recomputes derived data, idempotently, in a thread of its own inside the worker."""

    name: ClassVar[str]
    """The name of its read model."""
    interval_seconds: float
    """Builds at least this often, since time passes (decay) even without events."""
    pause_seconds: float
    """Rests at least this long after a build; events that arrive meanwhile are built together."""

    def build(self, now: datetime) -> None:
        """Build what is marked dirty, then note the offsets in the ``built`` hash.

        The marks and the checkpoints must be read in one step, before the state.
        """

    def check(self, now: datetime) -> list[str]:
        """What differs, a line each; waits a moment for what is still being built."""


@runtime_checkable
class PartitionedBuilder(Builder, Protocol):
    """A builder of which several can share the work of a rebuild."""

    def build_only(self, partitions: Sequence[int]) -> None:
        """Build only these partitions from now on."""


@runtime_checkable
class ComparableBuilder(Builder, Protocol):
    """A builder that can compare without waiting, because it reads other models that change."""

    def differences(self) -> Mapping[str, object]:
        """What differs at this moment: a line each, with both values."""
