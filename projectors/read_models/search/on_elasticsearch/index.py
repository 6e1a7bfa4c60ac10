"""Elasticsearch index: mappings, writes and reads.

It needs only the smallest distribution. Accents are folded by ``text_normalisation`` before the
index sees them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from elasticsearch import ApiError, Elasticsearch, NotFoundError, TransportError

from projectors.read_models.search.engine import (
    Document,
    DocumentsRefused,
    IndexIdentity,
    IndexUnavailable,
    VersionedDocument,
)
from projectors.read_models.search.on_elasticsearch import query
from projectors.read_models.search.query import Hits, SearchQuery

# Longer than any typed word; Lucene refuses terms over 32 KiB.
_LONGEST_KEYWORD = 1000
_KEYWORD = {"type": "keyword", "ignore_above": _LONGEST_KEYWORD}
_WORDS = {"type": "text", "analyzer": "whitespace"}

MAPPINGS: dict[str, Any] = {
    "dynamic": "strict",
    "properties": {
        "id": {"type": "long"},
        "title": {"type": "keyword", "index": False, "doc_values": False},
        "words": _WORDS | {"index_prefixes": {"min_chars": 1, "max_chars": 10}},
        "exact": _KEYWORD,
        "bare": _KEYWORD,
        "whole": _KEYWORD,
        "compounds": _WORDS | {"index_prefixes": {"min_chars": 2, "max_chars": 10}},
        "cast": _WORDS | {"index_prefixes": {"min_chars": 2, "max_chars": 10}},
        "people": _KEYWORD,
        "genres": _KEYWORD,
        "year": {"type": "integer"},
        "votes": {"type": "integer"},
        "average": {"type": "double"},
        "prominence": {"type": "integer"},
        "details": {"type": "object", "enabled": False},
    },
}
SETTINGS: dict[str, Any] = {
    "number_of_shards": 1,
    "number_of_replicas": 0,
    "refresh_interval": "-1",  # the builder refreshes after a flush
}

_PAGE = 1000


@contextmanager
def translating_errors() -> Iterator[None]:
    """Turn connection errors, overload and faults of the server into IndexUnavailable."""
    try:
        yield
    except TransportError as error:
        raise IndexUnavailable(str(error)) from error
    except ApiError as error:
        if _is_passing(error.status_code):
            raise IndexUnavailable(str(error)) from error
        raise


def _is_passing(status: int) -> bool:
    """Whether a later try may succeed; an index that was lost is recreated by its builder."""
    passing = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.NOT_FOUND}
    return status in passing or status >= HTTPStatus.INTERNAL_SERVER_ERROR


class ElasticsearchIndex:
    def __init__(self, elasticsearch: Elasticsearch, name: str) -> None:
        self._elasticsearch = elasticsearch
        self.name = name

    def identity(self) -> IndexIdentity | None:
        with translating_errors():
            try:
                settings = self._elasticsearch.indices.get_settings(
                    index=self.name, name="index.uuid", flat_settings=True
                )
            except NotFoundError:
                return None
        return IndexIdentity(str(settings[self.name]["settings"]["index.uuid"]), writes=0)

    def create(self) -> None:
        self.drop()
        with translating_errors():
            self._elasticsearch.indices.create(
                index=self.name, mappings=MAPPINGS, settings=SETTINGS, wait_for_active_shards="1"
            )

    def drop(self) -> None:
        with translating_errors():
            self._elasticsearch.indices.delete(index=self.name, ignore_unavailable=True)

    def put(self, documents: Sequence[VersionedDocument]) -> None:
        if not documents:
            return
        operations: list[dict[str, Any]] = []
        for movie, revision, document in documents:
            place = {"_id": str(movie), "version": revision, "version_type": "external_gte"}
            operations += ({"index": place}, document)
        with translating_errors():
            answer = self._elasticsearch.bulk(
                index=self.name, operations=operations, filter_path="errors,items.index"
            )
        if answer["errors"]:
            _raise_unless_newer([item["index"] for item in answer["items"]])

    def refresh(self) -> int:
        with translating_errors():
            self._elasticsearch.indices.refresh(index=self.name)
        return 0

    def get(self, movies: Sequence[int]) -> dict[int, tuple[int, Document]]:
        if not movies:
            return {}
        with translating_errors():
            answer = self._elasticsearch.mget(index=self.name, ids=[str(movie) for movie in movies])
        return {
            int(document["_id"]): (document["_version"], document["_source"])
            for document in answer["docs"]
            if document.get("found")
        }

    def movies(self) -> Iterator[int]:
        after: list[int] = [-1]
        while after:
            answer = self._ask(
                {
                    "size": _PAGE,
                    "query": query.SEARCHABLE,
                    "sort": [{"id": "asc"}],
                    "_source": False,
                    "search_after": after,
                }
            )
            movies = [int(hit["_id"]) for hit in answer["hits"]["hits"]]
            yield from movies
            after = movies[-1:]

    def count(self) -> int:
        with translating_errors():
            return int(self._elasticsearch.count(index=self.name, query=query.SEARCHABLE)["count"])

    def search(self, search_query: SearchQuery) -> Hits:
        return query.hits(self._ask(query.body(search_query)), search_query)

    def _ask(self, body: dict[str, Any]) -> dict[str, Any]:
        with translating_errors():
            return dict(self._elasticsearch.search(index=self.name, body=body).body)


def _raise_unless_newer(items: Sequence[dict[str, Any]]) -> None:
    faults = [item for item in items if item["status"] >= HTTPStatus.BAD_REQUEST]
    faults = [item for item in faults if item["status"] != HTTPStatus.CONFLICT]
    if any(_is_passing(item["status"]) for item in faults):
        raise IndexUnavailable(
            f"Elasticsearch failed to index {len(faults)} documents, the first:"
            f" {faults[0]['error']}"
        )
    if faults:
        raise DocumentsRefused(f"movie {faults[0]['_id']}: {faults[0]['error']}")
