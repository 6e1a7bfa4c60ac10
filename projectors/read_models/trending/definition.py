"""Declaration of the trending boards."""

from projectors.building.builder import Builder
from projectors.read_models.definition import ReadModelDefinition, SourceGenerations
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.trending.read_model import Trending


def build(trending: Trending, sources: SourceGenerations, partitions: int) -> Builder:
    """See ReadModelDefinition."""
    from projectors.read_models.trending.builder import TrendingBuilder

    return TrendingBuilder(trending, sources[Movies])


definition = ReadModelDefinition(model=Trending, build=build, sources=(Movies,))
