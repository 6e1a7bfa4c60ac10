"""Declaration of the similar movies."""

from projectors.building.builder import Builder
from projectors.read_models.definition import ReadModelDefinition, SourceGenerations
from projectors.read_models.similarity.read_model import Similarity


def build(similarity: Similarity, sources: SourceGenerations, partitions: int) -> Builder:
    """See ReadModelDefinition."""
    from projectors.read_models.similarity.builder import SimilarityBuilder

    return SimilarityBuilder(similarity)


definition = ReadModelDefinition(model=Similarity, build=build, weight="heaviest")
