"""Registry of read models: one line for each, and what derives from their declarations."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, cast

from django.utils.module_loading import import_string

from projectors.building.builder import Builder
from projectors.generations.live import Live
from projectors.read_models.library.read_model import Library
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.playlists.read_model import Playlists
from projectors.read_models.recommendations.read_model import Recommendations
from projectors.read_models.search.read_model import Search
from projectors.read_models.sessions.read_model import SessionRevocations
from projectors.read_models.similarity.read_model import Similarity
from projectors.read_models.suggestions.read_model import Suggestions
from projectors.read_models.trending.read_model import Trending
from projectors.storage.read_model import ReadModel

MODELS: Sequence[type[ReadModel]] = (
    SessionRevocations,
    Movies,
    Library,
    Playlists,
    Recommendations,
    Trending,
    Similarity,
    Suggestions,
    Search,
)
WITH_BUILDER: Sequence[type[ReadModel]] = tuple(model for model in MODELS if model.builder_path)
"""The models that answer with data that a builder derives from their state."""

BY_NAME: Mapping[str, type[ReadModel]] = {model.name: model for model in MODELS}

FindGeneration: TypeAlias = Callable[[type[ReadModel]], ReadModel]
"""Finds the generation of another model that a builder reads; raises NotReady."""


def dependents_of(model: type[ReadModel]) -> Sequence[type[ReadModel]]:
    """The models whose builders read this one, too."""
    return [each for each in MODELS if model.name in each.sources]


def make_builder(model: ReadModel, find: FindGeneration) -> Builder | None:
    """The builder of a generation; None for a model whose state is all there is."""
    if not model.builder_path:
        return None
    make = import_string(model.builder_path)
    return cast("Builder", make(model, *(find(BY_NAME[source]) for source in model.sources)))


def make_builders(models: Mapping[str, ReadModel], live: Live) -> Sequence[Builder]:
    """Make the builders of these models; other sources are taken from the live generations."""

    def find(kind: type[ReadModel]) -> ReadModel:
        return models.get(kind.name) or live.open(kind)

    builders = (make_builder(model, find) for model in models.values())
    return [builder for builder in builders if builder is not None]
