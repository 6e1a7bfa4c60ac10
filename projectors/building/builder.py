"""Builders: what recomputes derived data from the state of a read model."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Protocol, runtime_checkable


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


@runtime_checkable
class PartitionedBuilder(Builder, Protocol):
    """A builder of which several can share the work of a rebuild."""

    def build_only(self, partitions: Sequence[int]) -> None:
        """Build only of these from now on."""


@runtime_checkable
class VerifiableBuilder(Protocol):
    """A builder that can compare what it built with what it would build now."""

    def check(self, now: datetime) -> list[str]:
        """What differs, a line each; waits a moment for what is still being built."""


@runtime_checkable
class ComparableBuilder(Builder, Protocol):
    """One that compares without waiting, since it shows other models that go on."""

    def differences(self) -> list[str]:
        """What differs at this moment, a line each."""
