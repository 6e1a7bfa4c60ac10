"""tantivy index: writes and reads."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import msgspec
import tantivy

from projectors.read_models.search.engine import (
    Document,
    IndexIdentity,
    IndexUnavailable,
    VersionedDocument,
)
from projectors.read_models.search.on_tantivy import paging, schema
from projectors.read_models.search.on_tantivy.index_directory import IndexDirectory
from projectors.read_models.search.on_tantivy.query import SEARCHABLE
from projectors.read_models.search.query import Hits, SearchQuery

_identity_decoder = msgspec.json.Decoder(IndexIdentity)
_document_decoder = msgspec.json.Decoder(Document)


class TantivyIndex:
    def __init__(self, directory: Path) -> None:
        self.name = directory.name
        self._files = IndexDirectory(directory)

    def identity(self) -> IndexIdentity | None:
        try:
            return _identity_of(self._files.searcher())
        except IndexUnavailable:
            return None  # missing or unreadable: it is recreated

    def create(self) -> None:
        self._files.create(IndexIdentity(uuid4().hex, writes=0))

    def drop(self) -> None:
        self._files.drop()

    def put(self, documents: Sequence[VersionedDocument]) -> None:
        """Upsert in one commit; most of its 15-80 ms are spent waiting for the disk."""
        if not documents:
            return
        with self._files.commit() as (writer, before):
            indexed = _revisions(before, [versioned.movie for versioned in documents])
            for versioned in documents:
                if versioned.revision >= indexed.get(versioned.movie, 0):
                    writer.delete_documents_by_term(schema.KEY, str(versioned.movie))
                    writer.add_document(schema.movie_document(versioned))
            identity = _identity_of(before)
            identity = identity._replace(writes=identity.writes + 1)
            writer.delete_documents_by_term(schema.KEY, schema.IDENTITY_KEY)
            writer.add_document(schema.identity_document(identity))

    def refresh(self) -> int:
        """Return the number of commits: searches see each at once, so there is nothing to do."""
        return _identity_of(self._files.searcher()).writes

    def get(self, movies: Sequence[int]) -> dict[int, tuple[int, Document]]:
        searcher = self._files.searcher()
        addresses = _addresses(searcher, map(str, movies))
        contents = [
            _document_decoder.decode(schema.content_of(searcher.doc(address)))
            for address in addresses
        ]
        revisions = searcher.fast_field_values("revision", addresses)
        return {
            content["id"]: (int(revision or 0), content)
            for content, revision in zip(contents, revisions, strict=True)
        }

    def movies(self) -> Iterator[int]:
        searcher = self._files.searcher()
        for movie in searcher.fast_field_values("id", _searchable_addresses(searcher)):
            yield int(movie or 0)

    def count(self) -> int:
        return len(_searchable_addresses(self._files.searcher()))

    def search(self, search_query: SearchQuery) -> Hits:
        return paging.search(self._files.searcher(), search_query)


def _searchable_addresses(searcher: tantivy.Searcher) -> list[tantivy.DocAddress]:
    result = searcher.search(SEARCHABLE, limit=searcher.num_docs + 1, count=False)
    return [address for _, address in result.hits]


def _identity_of(searcher: tantivy.Searcher) -> IndexIdentity:
    [address] = _addresses(searcher, [schema.IDENTITY_KEY])
    return _identity_decoder.decode(schema.content_of(searcher.doc(address)))


def _revisions(searcher: tantivy.Searcher, movies: Sequence[int]) -> dict[int, int]:
    addresses = _addresses(searcher, map(str, movies))
    columns = (searcher.fast_field_values(field, addresses) for field in ("id", "revision"))
    return {int(movie or 0): int(revision or 0) for movie, revision in zip(*columns, strict=True)}


def _addresses(
    searcher: tantivy.Searcher, keys: Iterator[str] | Sequence[str]
) -> list[tantivy.DocAddress]:
    wanted = list(keys)
    if not wanted:
        return []
    by_keys = tantivy.Query.term_set_query(schema.SCHEMA, schema.KEY, wanted)
    result = searcher.search(by_keys, limit=len(wanted), count=False)
    return [address for _, address in result.hits]
