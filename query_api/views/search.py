"""Search and discovery of movies in the index."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, ClassVar

import msgspec
from django.http import HttpResponse
from rest_framework import serializers

from infra.errors import Invalid, Unavailable
from infra.http.openapi import operation
from infra.http.permissions import Anybody
from infra.http.strict_json import PageQuery, encode
from infra.redis_pipeline import ReadCommands
from infra.security import signing
from infra.security.signing import BadSignature
from projectors.read_models.search.engine import IndexUnavailable
from projectors.read_models.search.query import FacetCount, Hits, SearchAfter, SearchQuery
from projectors.read_models.search.read_model import Search
from projectors.storage import pagination
from query_api.caching.read_through import CacheLookup, ReadThrough
from query_api.http import schemas
from query_api.http.cursors import reject_foreign_cursor
from query_api.http.read_your_writes import AnswerSource
from query_api.http.request import ReadRequest
from query_api.http.schemas import FacetFields, HighlightFields, NamedCount
from query_api.http.view import PROBLEMS, READ_HEADERS, ReadView

PAGES = ReadThrough("pages", Hits, seconds=10.0, is_empty=lambda hits: not hits.total)
"""Cached matches of the index. Cards are not cached: each request fetches current ones."""

# Cursors of the first version have fewer sort values.
_PURPOSE = "search.v2"
_encode = msgspec.msgpack.Encoder().encode


class _Cursor(msgspec.Struct, frozen=True, array_like=True):
    scope: bytes
    after: SearchAfter


_cursor_decoder = msgspec.msgpack.Decoder(_Cursor)


class DiscoverParameters(PageQuery):
    """Page, order and filters of a discovery."""

    genre = serializers.ListField(
        child=serializers.CharField(max_length=60), required=False, max_length=10
    )
    year_from = serializers.IntegerField(min_value=1800, max_value=2200, required=False)
    year_to = serializers.IntegerField(min_value=1800, max_value=2200, required=False)
    min_score = serializers.FloatField(min_value=1, max_value=10, required=False)
    person = serializers.CharField(max_length=100, required=False)
    sort = serializers.ChoiceField(
        ["relevance", "popularity", "score", "year"], default="relevance"
    )


class SearchParameters(DiscoverParameters):
    """Filters of a discovery, and the search text."""

    q = serializers.CharField(max_length=200)


class DiscoverView(ReadView):
    """Movies by genre, years, score and people."""

    permission_classes = (Anybody,)
    scope = "search"
    parameters: ClassVar[type[DiscoverParameters]] = DiscoverParameters

    @operation(
        "discover",
        query=DiscoverParameters,
        answers={200: schemas.SearchPage},
        problems=PROBLEMS,
        headers=READ_HEADERS,
    )
    def get(self, request: ReadRequest, **kwargs: Any) -> HttpResponse:
        return self.find(request)

    def find(self, request: ReadRequest) -> HttpResponse:
        """Answer the requested page."""
        query = to_query(self.parameters.of(request.query_string))
        search, movies = request.open(Search), request.movies()
        key = PAGES.key(search.generation, query)

        def enqueue(pipe: ReadCommands) -> None:
            for redis_key in (search.filled_key, search.stamp_key, key):
                pipe.get(redis_key)

        sources = (AnswerSource(search, is_built=True), AnswerSource(movies))
        filled, stamp, entry = request.fetch(enqueue, *sources)
        lookup = CacheLookup(key, stamp if request.is_cacheable else None, entry)
        hits = PAGES.get(lookup, lambda: load(search, query, is_filled=filled is not None))
        cards = request.cards(movies, [hit.id for hit in hits.items])
        return self.respond(request, render(query, hits, cards))


class SearchView(DiscoverView):
    """Movies that match a text (titles, names, years); tolerates typos and missing accents."""

    parameters = SearchParameters

    @operation(
        "search",
        query=SearchParameters,
        answers={200: schemas.SearchPage},
        problems=PROBLEMS,
        headers=READ_HEADERS,
    )
    def get(self, request: ReadRequest, **kwargs: Any) -> HttpResponse:
        return self.find(request)


def to_query(parameters: Mapping[str, Any]) -> SearchQuery:
    """Make the search query of the parameters; raises Invalid."""
    if parameters.get("year_from", 0) > parameters.get("year_to", 9999):
        reason = "year_to must not be before year_from"
        raise Invalid("Some parameters are invalid.", errors=[("year_to", reason)])
    query = SearchQuery(
        q=parameters.get("q", ""),
        genres=tuple(parameters.get("genre", ())),
        year_from=parameters.get("year_from"),
        year_to=parameters.get("year_to"),
        min_score=parameters.get("min_score"),
        person=parameters.get("person"),
        sort=parameters["sort"],
        limit=parameters["limit"],
    )
    if (cursor := parameters.get("cursor")) is None:
        return query
    with reject_foreign_cursor():
        return msgspec.structs.replace(query, after=_after(query, cursor))


def load(search: Search, query: SearchQuery, *, is_filled: bool) -> Hits:
    """Search the index; raises Unavailable while it is being filled or can't be reached."""
    with translate_index_errors():
        hits = search.search(query)
    # Checked again after the search: the index may have been lost and recreated meanwhile.
    if not is_filled or not search.is_filled():
        raise Unavailable("The search index is being filled.", retry_after_seconds=5)
    return hits


@contextmanager
def translate_index_errors() -> Iterator[None]:
    """Turn IndexUnavailable into Unavailable (503)."""
    try:
        yield
    except IndexUnavailable as fault:
        raise Unavailable("The search index can't be reached. Try again in a moment.") from fault


def render(query: SearchQuery, hits: Hits, cards: dict[int, bytes]) -> bytes:
    """The page; a movie without a card is left out."""
    items = (
        pagination.merge_objects(cards[hit.id], encode(HighlightFields(hit.highlight)))
        for hit in hits.items
        if hit.id in cards
    )
    facets = FacetFields(_counts(hits.genres), _counts(hits.decades))
    return pagination.render_page(
        items, _next(query, hits), {"total": hits.total, "facets": facets}
    )


def _counts(counts: tuple[FacetCount, ...]) -> tuple[NamedCount, ...]:
    return tuple(NamedCount(count.value, count.count) for count in counts)


def _scope(query: SearchQuery) -> bytes:
    """Digest of the query that a cursor belongs to; the page size may differ."""
    same = msgspec.structs.replace(query, limit=0, after=None)
    return sha256(_encode(same)).digest()[:8]


def _next(query: SearchQuery, hits: Hits) -> str | None:
    if hits.next is None:
        return None
    return signing.seal(_PURPOSE, _encode(_Cursor(_scope(query), hits.next)))


def _after(query: SearchQuery, cursor: str) -> SearchAfter:
    try:
        decoded = _cursor_decoder.decode(signing.open_(_PURPOSE, cursor))
    except msgspec.DecodeError as error:
        raise BadSignature(_PURPOSE) from error
    if decoded.scope != _scope(query):
        raise BadSignature(_PURPOSE)
    return decoded.after
