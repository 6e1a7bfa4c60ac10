"""What have I rated?"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework import serializers

from infra.openapi import operation
from infra.rest import PageQuery
from projectors import page
from projectors.library.projection import Rating
from projectors.library.read_model import Library, Sort, read_ratings
from projectors.movies.read_model import Movies
from projectors.page import Place
from query_api import shapes
from query_api.asking import live
from query_api.cursors import told_apart
from query_api.fresh import Source
from query_api.http import READ_HEADERS, ReadView

_PURPOSE = "ratings"
# Milliseconds since 1970 stay below this for 280 years, and ten times it is still an exact float.
_ABOVE_TIMES = 10**13


class RatingsQuery(PageQuery):
    """In which order."""

    sort = serializers.ChoiceField(["new", "score"], default="new")


class MyRatingsView(ReadView):
    """My ratings, the newest or the highest first."""

    needs_token = True
    keep = "never"

    @operation(
        "my_ratings",
        query=RatingsQuery,
        answers={200: shapes.RatingsPage},
        problems=(401, 422, 429, 503),
        headers=READ_HEADERS,
        needs_token=True,
    )
    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        query = RatingsQuery.of(self.asking.query_string)
        library, user, sort = live().open(Library), self.asking.user_id, query["sort"]
        [found] = self.asking.ask(lambda pipe: library.enqueue_ratings(pipe, user), Source(library))
        scope = f"{user}|{sort}"
        rest = behind(read_ratings(found, sort), sort, _place(scope, query.get("cursor")))
        some = rest[: query["limit"]]
        next_ = (
            page.cursor(_PURPOSE, scope, place_of(some[-1], sort))
            if len(rest) > len(some)
            else None
        )
        cards = live().open(Movies).cards([rating.movie for rating in some])
        return self.respond(render(some, cards, next_))


def place_of(rating: Rating, sort: Sort) -> Place:
    """Where a rating stands in its list."""
    milliseconds = round(rating.at.timestamp() * 1000)
    value = milliseconds + (rating.score * _ABOVE_TIMES if sort == "score" else 0)
    return Place(value, rating.movie)


def behind(ratings: list[Rating], sort: Sort, place: Place | None) -> list[Rating]:
    """The ratings behind a place, all if there is none."""
    if place is None:
        return ratings
    return [rating for rating in ratings if place_of(rating, sort) < place]


def render(ratings: list[Rating], cards: dict[int, bytes], next_: str | None) -> bytes:
    """The page; a movie without a card is left out."""
    items = (
        page.item(cards[rating.movie], {"score": rating.score, "rated_at": rating.at})
        for rating in ratings
        if rating.movie in cards
    )
    return page.page(items, next_)


def _place(scope: str, cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    with told_apart():
        return page.read_cursor(_PURPOSE, scope, cursor)
