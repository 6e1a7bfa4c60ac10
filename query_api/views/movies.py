"""What is known of a movie, and which genres are there?"""

from typing import Any

from django.http import HttpRequest, HttpResponse

from infra.errors import NotFound
from infra.http.openapi import operation
from infra.http.permissions import Anybody
from infra.http.strict_json import StrictQuery, encode
from projectors.read_models.movies.read_model import Movies
from query_api.http import schemas
from query_api.http.read_your_writes import Source
from query_api.http.request import Ready
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
    def get(self, request: HttpRequest, movie_id: int = 0, **kwargs: Any) -> HttpResponse:
        card = self.asking.read(self.ready(movie_id=movie_id))
        if card is None:
            raise NotFound("There is no such movie.")
        return self.respond(card)

    def ready(self, movie_id: int = 0, **path: Any) -> Ready:
        StrictQuery.of(self.asking.query_string)
        movies = self.asking.open(Movies)
        return Ready(
            enqueue=lambda pipe: movies.enqueue_card(pipe, movie_id),
            read=lambda results: movies.read_card(results[0]),
            sources=(Source(movies),),
        )


class GenresView(ReadView):
    """Every genre and how many movies it has."""

    permission_classes = (Anybody,)
    keep = "a minute"

    @operation(
        "genres",
        answers={200: schemas.GenresList},
        problems=PROBLEMS,
        headers=READ_HEADERS,
    )
    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        StrictQuery.of(self.asking.query_string)
        movies = self.asking.open(Movies)
        self.asking.ask(lambda _: None, Source(movies, is_built=True))
        return self.respond(encode({"items": movies.genres(), "next": None}))
