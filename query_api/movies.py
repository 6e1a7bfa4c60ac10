"""What is known of a movie, and which genres are there?"""

from typing import Any

from django.http import HttpRequest, HttpResponse

from infra.openapi import operation
from infra.refused import NotFound
from infra.rest import StrictQuery, encode
from projectors.movies.read_model import Movies
from query_api import shapes
from query_api.fresh import Source
from query_api.http import READ_HEADERS, ReadView, live


class MovieView(ReadView):
    """A movie's card."""

    @operation(
        "movie",
        answers={200: shapes.Card},
        problems=(401, 404, 422, 429, 503),
        headers=READ_HEADERS,
    )
    def get(self, request: HttpRequest, movie_id: int = 0, **kwargs: Any) -> HttpResponse:
        StrictQuery.of(request.META["QUERY_STRING"])
        movies = live().open(Movies)
        [found] = self.ask(
            request, lambda pipe: movies.enqueue_card(pipe, movie_id), Source(movies)
        )
        card = movies.read_card(found)
        if card is None:
            raise NotFound("There is no such movie.")
        return self.respond(request, card)


class GenresView(ReadView):
    """Every genre and how many movies it has."""

    keep = "a minute"

    @operation(
        "genres",
        answers={200: shapes.GenresList},
        problems=(401, 422, 429, 503),
        headers=READ_HEADERS,
    )
    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        StrictQuery.of(request.META["QUERY_STRING"])
        movies = live().open(Movies)
        self.ask(request, lambda _: None, Source(movies, is_built=True))
        return self.respond(request, encode({"items": movies.genres(), "next": None}))
