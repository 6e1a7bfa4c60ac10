"""Tasks of a pool process: partitions to fill, models to build."""

from dataclasses import dataclass
from datetime import UTC, datetime

from projectors.generations.pointers import GenerationId


@dataclass(frozen=True)
class BackfillTask:
    """Partitions to fill of some generations, each up to an offset."""

    generation_ids: tuple[GenerationId, ...]
    partitions: tuple[int, ...]
    until: tuple[int, ...]
    """The last offset of each partition, of all partitions."""


@dataclass(frozen=True)
class BuildTask:
    """Models to build for some partitions, as of a moment (None: now)."""

    names: frozenset[str]
    partitions: tuple[int, ...]
    moment: datetime | None

    @property
    def now(self) -> datetime:
        """The builders' clock."""
        return self.moment or datetime.now(UTC)
