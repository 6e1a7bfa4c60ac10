"""Tasks of a pool process: partitions to fill, models to build."""

from dataclasses import dataclass
from datetime import UTC, datetime

from projectors.generations.pointers import GenerationId


@dataclass(frozen=True)
class BackfillTask:
    """Some partitions of some generations, up to an offset each."""

    places: tuple[GenerationId, ...]
    partitions: tuple[int, ...]
    until: tuple[int, ...]
    """By partition, of all there are."""


@dataclass(frozen=True)
class BuildTask:
    """Some models to build for some partitions, as of a moment (None: now)."""

    names: frozenset[str]
    partitions: tuple[int, ...]
    moment: datetime | None

    @property
    def now(self) -> datetime:
        """The builders' clock."""
        return self.moment or datetime.now(UTC)
