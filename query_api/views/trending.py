"""Trending boards: the prepared first page, and other pages."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from rest_framework import serializers

from infra.http.openapi import operation
from infra.http.permissions import Anybody
from infra.http.strict_json import DEFAULT_LIMIT, PageQuery
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.trending import page
from projectors.read_models.trending.decay import WINDOWS
from projectors.read_models.trending.read_model import COMMUNITY, Trending
from query_api.http import schemas
from query_api.http.cursors import reject_foreign_cursor
from query_api.http.read_your_writes import AnswerSource
from query_api.http.request import PreparedAnswer, ReadRequest
from query_api.http.view import PROBLEMS, READ_HEADERS, ReadView

LONGEST_GENRE = 60
TMDB = "tmdb"


class TrendingQuery(PageQuery):
    """Page, window, genre and source of a board."""

    window = serializers.ChoiceField(sorted(WINDOWS), default="day")
    genre = serializers.CharField(max_length=LONGEST_GENRE, required=False)
    source = serializers.ChoiceField(  # type: ignore[assignment]  # DRF takes fields off the class
        [COMMUNITY, TMDB], default=COMMUNITY
    )


class TrendingView(ReadView):
    """The hottest movies, of our community or of another source; ``as_of`` says how old that is."""

    permission_classes = (Anybody,)

    @operation(
        "trending",
        query=TrendingQuery,
        answers={200: schemas.TrendingPage},
        problems=PROBLEMS,
        headers=READ_HEADERS,
    )
    def get(self, request: ReadRequest, **kwargs: Any) -> HttpResponse:
        query = TrendingQuery.of(request.query_string)
        trending, movies = request.open(Trending), request.movies()
        # The cards of a prepared page are as old as its board; a read that waits gets current ones.
        prepared = self.prepared(request) if request.positions is None else None
        if prepared is None:
            request.check(*_sources(trending, movies))
        elif (first := request.answer(prepared)) is not None:
            return self.respond(request, first)
        window, genre, source = query["window"], query.get("genre"), query["source"]
        board = trending.board(window, genre, source)
        with reject_foreign_cursor():
            chosen = page.paginate(
                board,
                window,
                genre,
                limit=query["limit"],
                cursor=query.get("cursor"),
                source="" if source == COMMUNITY else source,
            )
        cards = request.cards(movies, [movie for movie, _ in chosen.entries])
        return self.respond(request, page.render(board, chosen, cards))

    def prepared(self, request: ReadRequest, **path: Any) -> PreparedAnswer | None:
        query = TrendingQuery.of(request.query_string)
        if query["limit"] != DEFAULT_LIMIT or "cursor" in query:
            return None
        trending = request.open(Trending)
        return PreparedAnswer(
            enqueue=lambda pipe: trending.enqueue_page(
                pipe, query["window"], query.get("genre"), query["source"]
            ),
            read=lambda results: results[0],
            sources=_sources(trending, request.movies()),
        )


def _sources(trending: Trending, movies: Movies) -> Sequence[AnswerSource]:
    """Movies, too: boards wait for them already, but an event parked there is on no board."""
    return AnswerSource(trending, is_built=True), AnswerSource(movies)
