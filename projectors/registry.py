"""Which read models and builders are there? A line each."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from projectors.building.builder import Builder
from projectors.generations.live import Live
from projectors.read_models.library.read_model import Library
from projectors.read_models.movies.builder import MoviesBuilder
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.playlists.read_model import Playlists
from projectors.read_models.recommendations.builder import RecommendationsBuilder
from projectors.read_models.recommendations.candidate_snapshot import Sources
from projectors.read_models.recommendations.read_model import Recommendations
from projectors.read_models.search.builder import SearchBuilder
from projectors.read_models.search.read_model import Search
from projectors.read_models.sessions.read_model import SessionRevocations
from projectors.read_models.similarity.builder import SimilarityBuilder
from projectors.read_models.similarity.read_model import Similarity
from projectors.read_models.suggestions.builder import SuggestionsBuilder
from projectors.read_models.suggestions.read_model import Suggestions
from projectors.read_models.trending.builder import TrendingBuilder
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

BUILT: Sequence[type[ReadModel]] = (
    Movies,
    Recommendations,
    Trending,
    Similarity,
    Suggestions,
    Search,
)
"""Those that answer with what a builder makes of their state."""

_SOURCES: Mapping[type[ReadModel], Sequence[type[ReadModel]]] = {
    Trending: (Movies,),
    Recommendations: (Trending, Movies, Similarity),
}
"""What a builder reads beside the state of its own model."""

Model = TypeVar("Model", bound=ReadModel)


class Find(Protocol):
    """Gives the generation of another model that a builder is to read."""

    def __call__(self, kind: type[Model], /) -> Model:
        """That of a kind; raises NotReady."""


def built_of(model: type[ReadModel]) -> Sequence[type[ReadModel]]:
    """The models whose builders read this one, too."""
    return [kind for kind, sources in _SOURCES.items() if model in sources]


def make_builder(model: ReadModel, find: Find, partitions: int) -> Builder | None:
    """What builds of a model; None for one whose state is all there is."""
    made: Builder | None = None
    match model:
        case Movies():
            made = MoviesBuilder(model)
        case Trending():
            made = TrendingBuilder(model, find(Movies))
        case Similarity():
            made = SimilarityBuilder(model)
        case Suggestions():
            made = SuggestionsBuilder(model)
        case Recommendations():
            sources = Sources(find(Trending), find(Movies), find(Similarity))
            made = RecommendationsBuilder(model, sources, partitions)
        case Search():
            made = SearchBuilder(model, partitions)
        case _:  # its state is all there is
            pass
    return made


def make_builders(
    models: Mapping[str, ReadModel], live: Live, partitions: int
) -> Sequence[Builder]:
    """The builders of the models given; what else they read is taken from the live generations."""

    def find(kind: type[Model]) -> Model:
        found = models.get(kind.name)
        return found if isinstance(found, kind) else live.open(kind)

    made = (make_builder(model, find, partitions) for model in models.values())
    return [builder for builder in made if builder is not None]
