"""Movies similar to a movie."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpResponse
from rest_framework import serializers

from infra.errors import NotFound
from infra.http.openapi import operation
from infra.http.permissions import Anybody
from infra.http.strict_json import DEFAULT_LIMIT, MAX_LIMIT, StrictQuery, encode
from projectors.read_models.similarity.formula import confidence
from projectors.read_models.similarity.neighbour import Neighbour
from projectors.read_models.similarity.read_model import Similarity
from projectors.storage import pagination
from query_api.http import schemas
from query_api.http.read_your_writes import AnswerSource
from query_api.http.request import PreparedAnswer, ReadRequest
from query_api.http.schemas import SimilarFields, SimilarityFields
from query_api.http.view import PROBLEMS, READ_HEADERS, ReadView


class SimilarQuery(StrictQuery):
    """Number of movies."""

    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT)


class SimilarView(ReadView):
    """Movies similar to a movie, the most similar first; fifty at most."""

    permission_classes = (Anybody,)

    @operation(
        "similar",
        query=SimilarQuery,
        answers={200: schemas.SimilarPage},
        problems=PROBLEMS,
        headers=READ_HEADERS,
    )
    def get(self, request: ReadRequest, movie_id: int = 0, **kwargs: Any) -> HttpResponse:
        body = request.answer(self.prepared(request, movie_id=movie_id))
        if body is None:
            raise NotFound("There is no such movie.")
        return self.respond(request, body)

    def prepared(self, request: ReadRequest, movie_id: int = 0, **path: Any) -> PreparedAnswer:
        limit = SimilarQuery.of(request.query_string)["limit"]
        similarity, movies = request.open(Similarity), request.movies()

        def read(results: Sequence[Any]) -> bytes | None:
            neighbours = similarity.read_neighbours(movie_id, results)
            if neighbours is None:
                return None
            page = neighbours[:limit]
            cards = request.cards(movies, [movie_id, *(neighbour.movie for neighbour in page)])
            return render(page, cards) if movie_id in cards else None

        return PreparedAnswer(
            enqueue=lambda pipe: similarity.enqueue_neighbours(pipe, movie_id),
            read=read,
            sources=(AnswerSource(similarity, is_built=True), AnswerSource(movies)),
        )


def render(neighbours: Sequence[Neighbour], cards: Mapping[int, bytes]) -> bytes:
    """The page; a movie without a card is left out."""
    items = (
        pagination.merge_objects(cards[neighbour.movie], encode(_fields(neighbour)))
        for neighbour in neighbours
        if neighbour.movie in cards
    )
    return pagination.render_page(items, None)


def _fields(neighbour: Neighbour) -> SimilarFields:
    support = neighbour.support
    return SimilarFields(SimilarityFields(neighbour.score, support, confidence(support)))
