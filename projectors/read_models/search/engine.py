"""What must an engine be able to do that documents are searched with?

One index belongs to one generation of the model. What is found and marked must not depend on the
engine; how well what fits less is ranked may.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from projectors.errors import RetryLater
from projectors.read_models.search.query import Hits, SearchQuery

Document = dict[str, Any]
"""As the projection makes it; one without votes is a tombstone: kept, and found by nobody."""


class IndexUnavailable(RetryLater):
    """The index can't be reached, asks to come back later, or is lost."""


class DocumentsRefused(Exception):
    """The index takes some documents in no form: it and ``document`` don't fit."""


class VersionedDocument(NamedTuple):
    """A document and the revision of the state that it was made from."""

    movie: int
    revision: int
    document: Document


class IndexIdentity(NamedTuple):
    """What tells an index from another of its name, and from itself in former times."""

    uuid: str
    writes: int
    """Grows, where an index could come back as it was; 0 where its server sees to that."""


class SearchEngine(Protocol):
    """An index; all that it is asked may raise IndexUnavailable."""

    name: str

    def identity(self) -> IndexIdentity | None:
        """Which index there is; None if there is none."""

    def create(self) -> None:
        """Make it anew, empty, whatever there was of that name."""

    def drop(self) -> None:
        """Remove it, if it is there."""

    def put(self, documents: Sequence[VersionedDocument]) -> None:
        """Write whole documents; a newer one that is there already stays."""

    def refresh(self) -> int:
        """Let searches see what was written; the number of writes there were."""

    def get(self, movies: Sequence[int]) -> dict[int, tuple[int, Document]]:
        """Revision and content of the documents that are there, by movie, refreshed or not."""

    def movies(self) -> Iterator[int]:
        """Every movie that searches see."""

    def count(self) -> int:
        """How many they are."""

    def search(self, asked: SearchQuery) -> Hits:
        """The movies that fit, best first."""
