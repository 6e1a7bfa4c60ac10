"""Declaration of the movies: cards and genre index."""

from projectors.building.builder import Builder
from projectors.read_models.definition import ReadModelDefinition, SourceGenerations
from projectors.read_models.movies.read_model import Movies


def build(movies: Movies, sources: SourceGenerations, partitions: int) -> Builder:
    """See ReadModelDefinition."""
    from projectors.read_models.movies.builder import MoviesBuilder

    return MoviesBuilder(movies)


definition = ReadModelDefinition(model=Movies, build=build)
