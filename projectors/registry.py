"""Registry of read models: one line for each, and what derives from their declarations."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from projectors.building.builder import Builder
from projectors.generations.live import Live
from projectors.read_models.definition import ReadModelDefinition, SourceGenerations
from projectors.read_models.library.definition import definition as library
from projectors.read_models.movies.definition import definition as movies
from projectors.read_models.playlists.definition import definition as playlists
from projectors.read_models.recommendations.definition import definition as recommendations
from projectors.read_models.search.definition import definition as search
from projectors.read_models.sessions.definition import definition as sessions
from projectors.read_models.similarity.definition import definition as similarity
from projectors.read_models.suggestions.definition import definition as suggestions
from projectors.read_models.trending.definition import definition as trending
from projectors.storage.read_model import ReadModel

DEFINITIONS: Sequence[ReadModelDefinition[Any]] = (
    sessions,
    movies,
    library,
    playlists,
    recommendations,
    trending,
    similarity,
    suggestions,
    search,
)

MODELS: Sequence[type[ReadModel]] = tuple(each.model for each in DEFINITIONS)
BUILT: Sequence[type[ReadModel]] = tuple(each.model for each in DEFINITIONS if each.build)
"""The models that answer with data that a builder derives from their state."""

BY_NAME: Mapping[str, type[ReadModel]] = {model.name: model for model in MODELS}
_DEFINITION = {each.name: each for each in DEFINITIONS}

Model = TypeVar("Model", bound=ReadModel)


class FindGeneration(Protocol):
    """Finds the generation of another model that a builder reads."""

    def __call__(self, kind: type[Model], /) -> Model:
        """Raises NotReady."""


def dependents_of(model: type[ReadModel]) -> Sequence[type[ReadModel]]:
    """The models whose builders read this one, too."""
    return [each.model for each in DEFINITIONS if model in each.sources]


def make_builder(model: ReadModel, find: FindGeneration, partitions: int) -> Builder | None:
    """The builder of a generation; None for a model whose state is all there is."""
    definition = _DEFINITION[model.name]
    if definition.build is None:
        return None
    sources = SourceGenerations(find(source) for source in definition.sources)
    return definition.build(model, sources, partitions)


def make_builders(
    models: Mapping[str, ReadModel], live: Live, partitions: int
) -> Sequence[Builder]:
    """Make the builders of these models; other sources are taken from the live generations."""

    def find(kind: type[Model]) -> Model:
        found = models.get(kind.name)
        return found if isinstance(found, kind) else live.open(kind)

    made = (make_builder(model, find, partitions) for model in models.values())
    return [builder for builder in made if builder is not None]
