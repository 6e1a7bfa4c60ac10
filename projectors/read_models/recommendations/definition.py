"""Declaration of the recommendation lists."""

from projectors.building.builder import Builder
from projectors.read_models.definition import ReadModelDefinition, SourceGenerations
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.recommendations.read_model import Recommendations
from projectors.read_models.similarity.read_model import Similarity
from projectors.read_models.trending.read_model import Trending


def build(model: Recommendations, sources: SourceGenerations, partitions: int) -> Builder:
    """See ReadModelDefinition."""
    from projectors.read_models.recommendations.builder import RecommendationsBuilder
    from projectors.read_models.recommendations.candidate_snapshot import CandidateSources

    read = CandidateSources(sources[Trending], sources[Movies], sources[Similarity])
    return RecommendationsBuilder(model, read, partitions)


definition = ReadModelDefinition(
    model=Recommendations,
    build=build,
    sources=(Trending, Movies, Similarity),
    builds_by_partition=True,
)
