"""Declaration of a read model: everything that lists read models derives from it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar

from projectors.building.builder import Builder
from projectors.storage.read_model import ReadModel

Model = TypeVar("Model", bound=ReadModel)
Source = TypeVar("Source", bound=ReadModel)

Weight: TypeAlias = Literal["light", "heavy", "heaviest"]
"""How much work its builder has. The heavy ones may get a projector process of their own; in a
rebuild the heaviest ones are built side by side with all others."""


class SourceGenerations:
    """The generations of other models that a builder reads."""

    def __init__(self, models: Iterable[ReadModel]) -> None:
        self._models = {model.name: model for model in models}

    def __getitem__(self, kind: type[Source]) -> Source:
        """The one of a declared source; raises KeyError for any other model."""
        found = self._models[kind.name]
        if not isinstance(found, kind):
            raise TypeError(f"{kind.name} is a {type(found).__name__}")
        return found


@dataclass(frozen=True, kw_only=True)
class ReadModelDefinition(Generic[Model]):
    """Declaration of a read model: class, builder, sources and weight."""

    model: type[Model]
    build: Callable[[Model, SourceGenerations, int], Builder] | None = None
    """Makes the builder of a generation; the number is that of partitions. None for a model whose
    state is all there is. It imports the builder itself,
    because the query API imports this module, too."""
    sources: tuple[type[ReadModel], ...] = ()
    """The other models that the builder reads."""
    weight: Weight = "light"
    builds_by_partition: bool = False
    """Whether a rebuild shares its derived data out by partition (``PartitionedBuilder``), once
    all other models are built."""

    @property
    def name(self) -> str:
        """The name of the read model."""
        return self.model.name
