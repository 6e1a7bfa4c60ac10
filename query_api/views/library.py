"""My ratings, favourites and hidden movies, page by page."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal, TypeVar

import msgspec
from django.http import HttpResponse
from rest_framework import serializers

from infra.http.openapi import operation
from infra.http.permissions import LoggedIn
from infra.http.strict_json import PageQuery, encode
from projectors.read_models.library.projection import FlaggedMovie, LibraryKind, UserRating
from projectors.read_models.library.read_model import (
    Library,
    RatingSort,
    read_flagged,
    read_ratings,
)
from projectors.storage import pagination
from projectors.storage.pagination import CursorPosition
from query_api.http import schemas
from query_api.http.cursors import reject_foreign_cursor
from query_api.http.read_your_writes import AnswerSource
from query_api.http.request import ReadRequest
from query_api.http.schemas import FavouriteFields, HiddenFields, RatedFields
from query_api.http.view import PROBLEMS, READ_HEADERS, ReadView

P = TypeVar("P", bound=tuple[Any, ...])

# One score step, above any time in milliseconds for 280 years; ten steps are still an exact float.
_SCORE_STEP = 10**13


class RatingsQuery(PageQuery):
    """Page and order of the ratings."""

    sort = serializers.ChoiceField(["new", "score"], default="new")


class OrderedQuery(PageQuery):
    """Page and order: the newest first, or the oldest."""

    sort = serializers.ChoiceField(["new", "old"], default="new")


class MyRatingsView(ReadView):
    """My ratings, the newest or the highest first."""

    permission_classes = (LoggedIn,)
    cache_policy = "never"

    @operation(
        "my_ratings",
        query=RatingsQuery,
        answers={200: schemas.RatingsPage},
        problems=PROBLEMS,
        headers=READ_HEADERS,
        needs_token=True,
    )
    def get(self, request: ReadRequest, **kwargs: Any) -> HttpResponse:
        query = RatingsQuery.of(request.query_string)
        library, movies = request.open(Library), request.movies()
        user, sort = request.user_id, query["sort"]
        [reply] = request.fetch(
            lambda pipe: library.enqueue_movies(pipe, "ratings", user),
            AnswerSource(library),
            AnswerSource(movies),
        )
        scope = f"{user}|{sort}"
        rest = after_cursor(
            read_ratings(reply, sort), sort, _decode_cursor("ratings", scope, query)
        )
        page = rest[: query["limit"]]
        next_ = (
            pagination.encode_cursor("ratings", scope, cursor_position(page[-1], sort))
            if len(rest) > len(page)
            else None
        )
        fields = {rating.movie: RatedFields(rating.score, rating.at) for rating in page}
        return self.respond(request, render(request.cards(movies, list(fields)), fields, next_))


class MyMoviesView(ReadView):
    """Movies of mine, the newest or the oldest first."""

    permission_classes = (LoggedIn,)
    cache_policy = "never"
    kind: ClassVar[LibraryKind]
    fields: ClassVar[type[FavouriteFields] | type[HiddenFields]]

    def find(self, request: ReadRequest) -> HttpResponse:
        """Answer the requested page."""
        query = OrderedQuery.of(request.query_string)
        library, movies = request.open(Library), request.movies()
        user, sort = request.user_id, query["sort"]
        [reply] = request.fetch(
            lambda pipe: library.enqueue_movies(pipe, self.kind, user),
            AnswerSource(library),
            AnswerSource(movies),
        )
        scope = f"{user}|{sort}"
        flagged = {_flagged_position(movie): movie for movie in read_flagged(reply)}
        rest = in_order(flagged, sort, after=_decode_cursor(self.kind, scope, query))
        page = rest[: query["limit"]]
        next_ = (
            pagination.encode_cursor(self.kind, scope, page[-1]) if len(rest) > len(page) else None
        )
        fields = {position.movie: self.fields(flagged[position].at) for position in page}
        return self.respond(request, render(request.cards(movies, list(fields)), fields, next_))


class MyFavouritesView(MyMoviesView):
    """My favourites, the newest or the oldest first."""

    kind = "favourites"
    fields = FavouriteFields

    @operation(
        "my_favourites",
        query=OrderedQuery,
        answers={200: schemas.FavouritesPage},
        problems=PROBLEMS,
        headers=READ_HEADERS,
        needs_token=True,
    )
    def get(self, request: ReadRequest, **kwargs: Any) -> HttpResponse:
        return self.find(request)


class MyHiddenView(MyMoviesView):
    """Movies that I never want to be recommended, the newest or the oldest first."""

    kind = "hidden"
    fields = HiddenFields

    @operation(
        "my_hidden",
        query=OrderedQuery,
        answers={200: schemas.HiddenPage},
        problems=PROBLEMS,
        headers=READ_HEADERS,
        needs_token=True,
    )
    def get(self, request: ReadRequest, **kwargs: Any) -> HttpResponse:
        return self.find(request)


def cursor_position(rating: UserRating, sort: RatingSort) -> CursorPosition:
    """The position of a rating in its list, as cursors carry it."""
    offset = rating.score * _SCORE_STEP if sort == "score" else 0
    return CursorPosition(_milliseconds(rating.at) + offset, rating.movie)


def after_cursor(
    ratings: list[UserRating], sort: RatingSort, position: CursorPosition | None
) -> list[UserRating]:
    """The ratings after a cursor's position; all without one."""
    if position is None:
        return ratings
    return [rating for rating in ratings if cursor_position(rating, sort) < position]


def in_order(positions: Iterable[P], order: Literal["new", "old"], *, after: P | None) -> list[P]:
    """Sort positions, which begin with a time; only those after a cursor's, if there is one."""
    match order:
        case "new":
            rest = [position for position in positions if after is None or position < after]
            return sorted(rest, reverse=True)
        case "old":
            return sorted(position for position in positions if after is None or position > after)


def render(
    cards: Mapping[int, bytes],
    fields: Mapping[int, msgspec.Struct],
    next_: str | None,
    about: Mapping[str, Any] | None = None,
) -> bytes:
    """A page of movies, each with its own fields; a movie without a card is left out."""
    items = (
        pagination.merge_objects(cards[movie], encode(more))
        for movie, more in fields.items()
        if movie in cards
    )
    return pagination.render_page(items, next_, about)


def _flagged_position(flagged: FlaggedMovie) -> CursorPosition:
    return CursorPosition(_milliseconds(flagged.at), flagged.movie)


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _decode_cursor(purpose: str, scope: str, query: Mapping[str, Any]) -> CursorPosition | None:
    if (cursor := query.get("cursor")) is None:
        return None
    with reject_foreign_cursor():
        return pagination.decode_cursor(purpose, scope, cursor)
