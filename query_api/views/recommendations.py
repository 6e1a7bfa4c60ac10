"""My recommendations: the prepared first page, other pages, and by genre."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from rest_framework import serializers

from infra.http.openapi import operation
from infra.http.permissions import LoggedIn
from infra.http.strict_json import DEFAULT_LIMIT, PageQuery
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.recommendations import page
from projectors.read_models.recommendations.read_model import Recommendations
from query_api.http import schemas
from query_api.http.cursors import reject_foreign_cursor
from query_api.http.read_your_writes import AnswerSource
from query_api.http.request import PreparedAnswer, ReadRequest
from query_api.http.view import PROBLEMS, READ_HEADERS, ReadView
from query_api.views.trending import LONGEST_GENRE


class RecommendationsQuery(PageQuery):
    """Page and genre of the recommendations."""

    genre = serializers.CharField(max_length=LONGEST_GENRE, required=False)


class MyRecommendationsView(ReadView):
    """Movies for me, best first; never one that I rated."""

    permission_classes = (LoggedIn,)
    cache_policy = "never"

    @operation(
        "my_recommendations",
        query=RecommendationsQuery,
        answers={200: schemas.RecommendationsPage},
        problems=PROBLEMS,
        headers=READ_HEADERS,
        needs_token=True,
    )
    def get(self, request: ReadRequest, **kwargs: Any) -> HttpResponse:
        query = RecommendationsQuery.of(request.query_string)
        model, movies = request.open(Recommendations), request.movies()
        user = request.user_id
        # The cards of a prepared page are as old as the page; a read that waits gets current ones.
        prepared = self.prepared(request) if request.positions is None else None
        if prepared is not None and (first := request.answer(prepared)) is not None:
            return self.respond(request, first)
        lists = request.fetch(
            lambda pipe: model.enqueue_items(pipe, user), *_sources(model, movies)
        )
        with reject_foreign_cursor():
            chosen = page.paginate(
                model.read_items(lists),
                query.get("genre"),
                limit=query["limit"],
                cursor=query.get("cursor"),
            )
        cards = request.cards(movies, [item.movie for item in chosen.items])
        return self.respond(request, page.render(chosen, cards))

    def prepared(self, request: ReadRequest, **path: Any) -> PreparedAnswer | None:
        if RecommendationsQuery.of(request.query_string) != {"limit": DEFAULT_LIMIT}:
            return None
        model, user = request.open(Recommendations), request.user_id
        return PreparedAnswer(
            enqueue=lambda pipe: model.enqueue_page(pipe, user),
            read=model.read_page,
            sources=_sources(model, request.movies()),
        )


def _sources(model: Recommendations, movies: Movies) -> Sequence[AnswerSource]:
    return AnswerSource(model, is_built=True), AnswerSource(movies)
