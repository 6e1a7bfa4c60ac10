"""What do people act on now?"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework import serializers

from infra.openapi import operation
from infra.rest import DEFAULT_LIMIT, PageQuery
from projectors.movies.read_model import Movies
from projectors.trending import page
from projectors.trending.decay import WINDOWS
from projectors.trending.read_model import Trending
from query_api import shapes
from query_api.asking import Ready, live
from query_api.cursors import told_apart
from query_api.fresh import Source
from query_api.http import READ_HEADERS, ReadView

LONGEST_GENRE = 60


class TrendingQuery(PageQuery):
    """Which board, and which part of it."""

    window = serializers.ChoiceField(sorted(WINDOWS), default="day")
    genre = serializers.CharField(max_length=LONGEST_GENRE, required=False)
    source = serializers.ChoiceField(  # type: ignore[assignment]  # DRF takes fields off the class
        ["community"], default="community"
    )


class TrendingView(ReadView):
    """The hottest movies."""

    @operation(
        "trending",
        query=TrendingQuery,
        answers={200: shapes.TrendingPage},
        problems=(401, 422, 429, 503),
        headers=READ_HEADERS,
    )
    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        query = TrendingQuery.of(self.asking.query_string)
        if (ready := self.ready()) is None:
            self.asking.ask(lambda _: None, _source())
        elif (first := self.asking.read(ready)) is not None:
            return self.respond(first)
        window, genre = query["window"], query.get("genre")
        board = live().open(Trending).board(window, genre)
        with told_apart():
            chosen = page.choose(
                board, window, genre, limit=query["limit"], cursor=query.get("cursor")
            )
        cards = live().open(Movies).cards([movie for movie, _ in chosen.entries])
        return self.respond(page.render(board, chosen, cards))

    def ready(self, **path: Any) -> Ready | None:
        query = TrendingQuery.of(self.asking.query_string)
        if query["limit"] != DEFAULT_LIMIT or "cursor" in query:
            return None
        source = _source()
        return Ready(
            enqueue=lambda pipe: (
                live().open(Trending).enqueue_page(pipe, query["window"], query.get("genre"))
            ),
            read=lambda results: results[0],
            source=source,
        )


def _source() -> Source:
    return Source(live().open(Trending), is_built=True)
