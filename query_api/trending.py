"""What do people act on now?"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from redis.client import Pipeline
from rest_framework import serializers

from infra.openapi import operation
from infra.rest import DEFAULT_LIMIT, PageQuery
from projectors.movies.read_model import Movies
from projectors.trending import page
from projectors.trending.decay import WINDOWS
from projectors.trending.read_model import Trending
from query_api import shapes
from query_api.cursors import told_apart
from query_api.fresh import Source
from query_api.http import READ_HEADERS, ReadView, live

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
        query = TrendingQuery.of(request.META["QUERY_STRING"])
        trending = live().open(Trending)
        window, genre = query["window"], query.get("genre")
        source = Source(trending, is_built=True)
        if query["limit"] == DEFAULT_LIMIT and "cursor" not in query:

            def enqueue(pipe: Pipeline) -> None:
                trending.enqueue_page(pipe, window, genre)

            [ready] = self.ask(request, enqueue, source)
            if ready is not None:
                return self.respond(request, ready)
        else:
            self.ask(request, lambda _: None, source)
        board = trending.board(window, genre)
        with told_apart():
            chosen = page.choose(
                board, window, genre, limit=query["limit"], cursor=query.get("cursor")
            )
        cards = live().open(Movies).cards([movie for movie, _ in chosen.entries])
        return self.respond(request, page.render(board, chosen, cards))
