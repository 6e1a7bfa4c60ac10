"""Declaration of the search index."""

from projectors.building.builder import Builder
from projectors.read_models.definition import ReadModelDefinition, SourceGenerations
from projectors.read_models.search.read_model import Search


def build(search: Search, sources: SourceGenerations, partitions: int) -> Builder:
    """See ReadModelDefinition."""
    from projectors.read_models.search.builder import SearchBuilder

    return SearchBuilder(search, partitions)


definition = ReadModelDefinition(model=Search, build=build, weight="heavy")
