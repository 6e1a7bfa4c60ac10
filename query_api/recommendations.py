"""What may I like, and why?"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework import serializers

from infra.openapi import operation
from infra.rest import DEFAULT_LIMIT, PageQuery
from projectors.movies.read_model import Movies
from projectors.recommendations import page
from projectors.recommendations.read_model import Recommendations
from query_api import shapes
from query_api.cursors import told_apart
from query_api.fresh import Source
from query_api.http import READ_HEADERS, ReadView, live
from query_api.trending import LONGEST_GENRE


class RecommendationsQuery(PageQuery):
    """Which part of the list."""

    genre = serializers.CharField(max_length=LONGEST_GENRE, required=False)


class MyRecommendationsView(ReadView):
    """Movies for me, best first; never one that I rated."""

    needs_token = True
    keep = "never"

    @operation(
        "my_recommendations",
        query=RecommendationsQuery,
        answers={200: shapes.RecommendationsPage},
        problems=(401, 422, 429, 503),
        headers=READ_HEADERS,
        needs_token=True,
    )
    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        query = RecommendationsQuery.of(request.META["QUERY_STRING"])
        model, user = live().open(Recommendations), self.user_id
        source = Source(model, is_built=True)
        if query == {"limit": DEFAULT_LIMIT}:
            found = self.ask(request, lambda pipe: model.enqueue_page(pipe, user), source)
            if (ready := model.read_page(found)) is not None:
                return self.respond(request, ready)
        else:
            self.ask(request, lambda _: None, source)
        with told_apart():
            chosen = page.choose(
                model.items(user),
                query.get("genre"),
                limit=query["limit"],
                cursor=query.get("cursor"),
            )
        cards = live().open(Movies).cards([item.movie for item in chosen.items])
        return self.respond(request, page.render(chosen, cards))
