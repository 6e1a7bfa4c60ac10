"""What may I like, and why?"""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework import serializers

from infra.http.openapi import operation
from infra.http.permissions import LoggedIn
from infra.http.strict_json import DEFAULT_LIMIT, PageQuery
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.recommendations import page
from projectors.read_models.recommendations.read_model import Recommendations
from query_api.http import schemas
from query_api.http.cursors import told_apart
from query_api.http.read_your_writes import Source
from query_api.http.request import Ready
from query_api.http.view import PROBLEMS, READ_HEADERS, ReadView
from query_api.views.trending import LONGEST_GENRE


class RecommendationsQuery(PageQuery):
    """Which part of the list."""

    genre = serializers.CharField(max_length=LONGEST_GENRE, required=False)


class MyRecommendationsView(ReadView):
    """Movies for me, best first; never one that I rated."""

    permission_classes = (LoggedIn,)
    keep = "never"

    @operation(
        "my_recommendations",
        query=RecommendationsQuery,
        answers={200: schemas.RecommendationsPage},
        problems=PROBLEMS,
        headers=READ_HEADERS,
        needs_token=True,
    )
    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        query = RecommendationsQuery.of(self.asking.query_string)
        model, movies = self.asking.open(Recommendations), self.asking.movies()
        user = self.asking.user_id
        # The cards of a ready page are as old as its list; who waits gets those of now.
        ready = self.ready() if self.asking.positions is None else None
        if ready is None:
            self.asking.ask(lambda _: None, *_sources(model, movies))
        elif (first := self.asking.read(ready)) is not None:
            return self.respond(first)
        with told_apart():
            chosen = page.choose(
                model.items(user),
                query.get("genre"),
                limit=query["limit"],
                cursor=query.get("cursor"),
            )
        cards = self.asking.cards(movies, [item.movie for item in chosen.items])
        return self.respond(page.render(chosen, cards))

    def ready(self, **path: Any) -> Ready | None:
        if RecommendationsQuery.of(self.asking.query_string) != {"limit": DEFAULT_LIMIT}:
            return None
        model, user = self.asking.open(Recommendations), self.asking.user_id
        return Ready(
            enqueue=lambda pipe: model.enqueue_page(pipe, user),
            read=model.read_page,
            sources=_sources(model, self.asking.movies()),
        )


def _sources(model: Recommendations, movies: Movies) -> Sequence[Source]:
    return Source(model, is_built=True), Source(movies)
