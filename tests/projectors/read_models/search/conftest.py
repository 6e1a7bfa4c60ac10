"""Fixtures of single search engines."""

import pytest

from projectors.read_models.search.engine import VersionedDocument
from projectors.read_models.search.on_tantivy.index import TantivyIndex
from projectors.read_models.search.projection import SearchableDetails, document


def written(
    movie: int, title: str, *, revision: int = 1, votes: int = 0, **details
) -> VersionedDocument:
    """A document as the flusher writes it."""
    searchable = SearchableDetails(title=title, **details)
    return VersionedDocument(
        movie, revision, document(movie, searchable, votes=votes, total=7 * votes)
    )


@pytest.fixture
def index_path(tmp_path):
    return tmp_path / "test-search-1"


@pytest.fixture
def index(index_path) -> TantivyIndex:
    """An empty index."""
    index = TantivyIndex(index_path)
    index.create()
    return index
