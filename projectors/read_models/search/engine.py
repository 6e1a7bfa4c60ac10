"""Search engine protocol: an index of documents, one for each generation of the model.

Matches and highlights must not depend on the engine; the ranking of weaker matches may.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from projectors.errors import RetryLater
from projectors.read_models.search.query import Hits, SearchQuery

Document = dict[str, Any]
"""Content of an index document; one without votes is a tombstone, which no search matches."""


class IndexUnavailable(RetryLater):
    """The index can't be reached, is overloaded, or was lost."""


class DocumentsRefused(Exception):
    """The index rejects documents for good: its mapping does not fit ``projection.document``."""


class VersionedDocument(NamedTuple):
    """A document and the revision of the state that it was made from."""

    movie: int
    revision: int
    document: Document


class IndexIdentity(NamedTuple):
    """Distinguishes an index from another of the same name, and from its own restored backup."""

    uuid: str
    writes: int
    """Counts commits where an older copy could be restored; 0 where the server prevents that."""


class SearchEngine(Protocol):
    """An index; every method may raise IndexUnavailable."""

    name: str

    def identity(self) -> IndexIdentity | None:
        """Identity of the existing index; None if there is none."""

    def create(self) -> None:
        """Create it empty; drops any index of its name."""

    def drop(self) -> None:
        """Remove it, if it exists."""

    def put(self, documents: Sequence[VersionedDocument]) -> None:
        """Upsert whole documents; a newer revision in the index stays."""

    def refresh(self) -> int:
        """Make writes visible to searches; return the number of writes."""

    def get(self, movies: Sequence[int]) -> dict[int, tuple[int, Document]]:
        """Revision and content of the movies' documents, refreshed or not."""

    def movies(self) -> Iterator[int]:
        """Every movie that searches can return."""

    def count(self) -> int:
        """How many movies searches can return."""

    def search(self, search_query: SearchQuery) -> Hits:
        """Return the matching movies, best first."""
