"""Which movies are like one?"""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework import serializers

from infra.openapi import operation
from infra.refused import NotFound
from infra.rest import DEFAULT_LIMIT, MAX_LIMIT, StrictQuery
from projectors import page
from projectors.movies.read_model import Movies
from projectors.similarity.formula import confidence
from projectors.similarity.neighbour import Neighbour
from projectors.similarity.read_model import Similarity
from query_api import shapes
from query_api.asking import Ready, live
from query_api.fresh import Source
from query_api.http import READ_HEADERS, ReadView


class SimilarQuery(StrictQuery):
    """How many."""

    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT)


class SimilarView(ReadView):
    """Movies like one, the most alike first; fifty at most."""

    @operation(
        "similar",
        query=SimilarQuery,
        answers={200: shapes.SimilarPage},
        problems=(401, 404, 422, 429, 503),
        headers=READ_HEADERS,
    )
    def get(self, request: HttpRequest, movie_id: int = 0, **kwargs: Any) -> HttpResponse:
        found = self.asking.read(self.ready(movie_id=movie_id))
        if found is None:
            raise NotFound("There is no such movie.")
        return self.respond(found)

    def ready(self, movie_id: int = 0, **path: Any) -> Ready:
        limit = SimilarQuery.of(self.asking.query_string)["limit"]
        similarity = live().open(Similarity)

        def read(results: Sequence[Any]) -> bytes | None:
            found = similarity.read_list(movie_id, results)
            return None if found is None else render(found[:limit])

        return Ready(
            enqueue=lambda pipe: similarity.enqueue_list(pipe, movie_id),
            read=read,
            source=Source(similarity, is_built=True),
        )


def render(neighbours: Sequence[Neighbour]) -> bytes:
    """The page; a movie without a card is left out."""
    cards = live().open(Movies).cards([neighbour.movie for neighbour in neighbours])
    items = (
        page.item(cards[neighbour.movie], {"similarity": _shown(neighbour)})
        for neighbour in neighbours
        if neighbour.movie in cards
    )
    return page.page(items, None)


def _shown(neighbour: Neighbour) -> dict[str, Any]:
    return {
        "score": neighbour.score,
        "support": neighbour.support,
        "confidence": confidence(neighbour.support),
    }
