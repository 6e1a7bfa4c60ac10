"""Which read models and builders are there? A line each."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from projectors.builder import Builder
from projectors.library.read_model import Library
from projectors.live import Live
from projectors.movies.builder import MoviesBuilder
from projectors.movies.read_model import Movies
from projectors.playlists.read_model import Playlists
from projectors.read_model import ReadModel
from projectors.recommendations.builder import RecommendationsBuilder
from projectors.recommendations.market import Sources
from projectors.recommendations.read_model import Recommendations
from projectors.search.builder import SearchBuilder
from projectors.search.read_model import Search
from projectors.sessions.read_model import Sessions
from projectors.similarity.builder import SimilarityBuilder
from projectors.similarity.read_model import Similarity
from projectors.suggestions.builder import SuggestionsBuilder
from projectors.suggestions.read_model import Suggestions
from projectors.trending.builder import TrendingBuilder
from projectors.trending.read_model import Trending

MODELS: Sequence[type[ReadModel]] = (
    Sessions,
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

Model = TypeVar("Model", bound=ReadModel)


def make_builders(
    models: Mapping[str, ReadModel], live: Live, partitions: int
) -> Sequence[Builder]:
    """The builders of the models given; what else they read is taken from the live generations."""

    def find(model: type[Model]) -> Model:
        found = models.get(model.name)
        return found if isinstance(found, model) else live.open(model)

    builders: list[Builder] = []
    if Movies.name in models:
        builders.append(MoviesBuilder(find(Movies)))
    if Trending.name in models:
        builders.append(TrendingBuilder(find(Trending), find(Movies)))
    if Similarity.name in models:
        builders.append(SimilarityBuilder(find(Similarity)))
    if Suggestions.name in models:
        builders.append(SuggestionsBuilder(find(Suggestions)))
    if Recommendations.name in models:
        sources = Sources(find(Trending), find(Movies), find(Similarity))
        builders.append(RecommendationsBuilder(find(Recommendations), sources, partitions))
    if Search.name in models:
        builders.append(SearchBuilder(find(Search), partitions))
    return builders
