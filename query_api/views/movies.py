"""Movies: the card of a movie, and the genres."""

from typing import Any

from django.http import HttpResponse

from infra.errors import NotFound
from infra.http.openapi import operation
from infra.http.permissions import Anybody
from infra.http.strict_json import StrictQuery, encode
from projectors.read_models.movies.card import compose
from projectors.read_models.movies.read_model import Movies
from query_api.http import schemas
from query_api.http.read_your_writes import AnswerSource
from query_api.http.request import PreparedAnswer, ReadRequest
from query_api.http.view import PROBLEMS, READ_HEADERS, ReadView


class MovieView(ReadView):
    """A movie's card."""

    permission_classes = (Anybody,)

    @operation(
        "movie",
        answers={200: schemas.Card},
        problems=PROBLEMS,
        headers=READ_HEADERS,
    )
    def get(self, request: ReadRequest, movie_id: int = 0, **kwargs: Any) -> HttpResponse:
        card = request.answer(self.prepared(request, movie_id=movie_id))
        if card is None:
            raise NotFound("There is no such movie.")
        return self.respond(request, card)

    def prepared(self, request: ReadRequest, movie_id: int = 0, **path: Any) -> PreparedAnswer:
        StrictQuery.of(request.query_string)
        movies = request.open(Movies)
        return PreparedAnswer(
            enqueue=lambda pipe: movies.enqueue_card(pipe, movie_id),
            read=lambda results: compose(results[0]),
            sources=(AnswerSource(movies),),
        )


class GenresView(ReadView):
    """Every genre and how many movies it has."""

    permission_classes = (Anybody,)
    cache_policy = "a minute"

    @operation(
        "genres",
        answers={200: schemas.GenresList},
        problems=PROBLEMS,
        headers=READ_HEADERS,
    )
    def get(self, request: ReadRequest, **kwargs: Any) -> HttpResponse:
        StrictQuery.of(request.query_string)
        movies = request.open(Movies)
        request.check(AnswerSource(movies, is_built=True))
        return self.respond(request, encode({"items": movies.genres(), "next": None}))
