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

PAGES = ReadThrough("pages", Hits, seconds=10.0, is_nothing=lambda hits: not hits.total)
"""What the index finds. Not the cards: they are fetched each time, as they are now."""

_PURPOSE = "search"
_encode = msgspec.msgpack.Encoder().encode


class _Cursor(msgspec.Struct, frozen=True, array_like=True):
    scope: bytes
    after: SearchAfter


_cursor = msgspec.msgpack.Decoder(_Cursor)


class DiscoverParameters(PageQuery):
    """What the movies must be like."""

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
    """What was typed, too."""

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
        """The page that was asked for."""
        asked = read(self.parameters.of(request.query_string))
        search, movies = request.open(Search), request.movies()
        key = PAGES.key(search.generation, asked)

        def enqueue(pipe: ReadCommands) -> None:
            for each in (search.filled_key, search.stamp_key, key):
                pipe.get(each)

        sources = (AnswerSource(search, is_built=True), AnswerSource(movies))
        filled, stamp, found = request.fetch(enqueue, *sources)
        kept = CacheLookup(key, stamp if request.is_cacheable else None, found)
        hits = PAGES.get(kept, lambda: load(search, asked, is_filled=filled is not None))
        cards = request.cards(movies, [hit.id for hit in hits.items])
        return self.respond(request, render(asked, hits, cards))


class SearchView(DiscoverView):
    """Movies by what someone typed: titles, names, years; typos and accents are forgiven."""

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


def read(given: Mapping[str, Any]) -> SearchQuery:
    """The question that the parameters make."""
    if given.get("year_from", 0) > given.get("year_to", 9999):
        raise Invalid("No year is in there.", errors=[("year_to", "This is before year_from.")])
    asked = SearchQuery(
        q=given.get("q", ""),
        genres=tuple(given.get("genre", ())),
        year_from=given.get("year_from"),
        year_to=given.get("year_to"),
        min_score=given.get("min_score"),
        person=given.get("person"),
        sort=given["sort"],
        limit=given["limit"],
    )
    if (cursor := given.get("cursor")) is None:
        return asked
    with reject_foreign_cursor():
        return msgspec.structs.replace(asked, after=_after(asked, cursor))


def load(search: Search, asked: SearchQuery, *, is_filled: bool) -> Hits:
    """The page out of the index; raises Unavailable where that can't tell."""
    with reaching():
        hits = search.search(asked)
    # Again behind it: the index may have been lost and begun anew while it was asked.
    if not is_filled or not search.is_filled():
        raise Unavailable("The search index is being filled.", retry_after_seconds=5)
    return hits


@contextmanager
def reaching() -> Iterator[None]:
    """Turn what says that the index is away into what its reader is told."""
    try:
        yield
    except IndexUnavailable as fault:
        raise Unavailable("The search index is away. Try again in a moment.") from fault


def render(asked: SearchQuery, hits: Hits, cards: dict[int, bytes]) -> bytes:
    """The page; a movie without a card is left out."""
    items = (
        pagination.merge_objects(cards[hit.id], encode(HighlightFields(hit.highlight)))
        for hit in hits.items
        if hit.id in cards
    )
    facets = FacetFields(_counts(hits.genres), _counts(hits.decades))
    return pagination.render_page(
        items, _next(asked, hits), {"total": hits.total, "facets": facets}
    )


def _counts(counts: tuple[FacetCount, ...]) -> tuple[NamedCount, ...]:
    return tuple(NamedCount(count.value, count.count) for count in counts)


def _scope(asked: SearchQuery) -> bytes:
    """What a cursor is good for: the same question, whatever the size of its pages."""
    same = msgspec.structs.replace(asked, limit=0, after=None)
    return sha256(_encode(same)).digest()[:8]


def _next(asked: SearchQuery, hits: Hits) -> str | None:
    if hits.next is None:
        return None
    return signing.seal(_PURPOSE, _encode(_Cursor(_scope(asked), hits.next)))


def _after(asked: SearchQuery, cursor: str) -> SearchAfter:
    try:
        found = _cursor.decode(signing.open_(_PURPOSE, cursor))
    except msgspec.DecodeError as error:
        raise BadSignature(_PURPOSE) from error
    if found.scope != _scope(asked):
        raise BadSignature(_PURPOSE)
    return found.after
