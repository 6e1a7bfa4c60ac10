"""Declaration of the suggestions while a user types."""

from projectors.building.builder import Builder
from projectors.read_models.definition import ReadModelDefinition, SourceGenerations
from projectors.read_models.suggestions.read_model import Suggestions


def build(suggestions: Suggestions, sources: SourceGenerations, partitions: int) -> Builder:
    """See ReadModelDefinition."""
    from projectors.read_models.suggestions.builder import SuggestionsBuilder

    return SuggestionsBuilder(suggestions)


definition = ReadModelDefinition(model=Suggestions, build=build, weight="heavy")
