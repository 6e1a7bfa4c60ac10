"""Details of a movie: crew, keywords and titles in other languages.

The card in the answer is current; the other details, from a document of the index, may be cached.
"""

from typing import Any

from django.http import HttpResponse

from infra.errors import NotFound, Unavailable
from infra.http.openapi import operation
from infra.http.permissions import Anybody
from infra.http.strict_json import StrictQuery
from infra.redis_pipeline import ReadCommands
from projectors.read_models.movies.card import compose
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.search.read_model import NO_EXTENDED_DETAILS_JSON, Search
from projectors.storage import pagination
from query_api.caching.read_through import CacheLookup, ReadThrough
from query_api.http import schemas
from query_api.http.read_your_writes import AnswerSource
from query_api.http.request import ReadRequest
from query_api.http.view import PROBLEMS, READ_HEADERS, ReadView
from query_api.views.search import translate_index_errors

DETAILS = ReadThrough(
    "details", bytes, seconds=60.0, is_empty=lambda details: details == NO_EXTENDED_DETAILS_JSON
)
_NO_DOCUMENT = b"0"
"""The version of a movie without a document in the index."""


class DetailsView(ReadView):
    """A movie's card, crew, keywords, and titles in other languages."""

    permission_classes = (Anybody,)

    @operation(
        "details",
        answers={200: schemas.Details},
        problems=PROBLEMS,
        headers=READ_HEADERS,
    )
    def get(self, request: ReadRequest, movie_id: int = 0, **kwargs: Any) -> HttpResponse:
        StrictQuery.of(request.query_string)
        movies, search = request.open(Movies), request.open(Search)
        # As text: msgpack can't encode integers above 64 bits.
        key = DETAILS.key(search.generation, str(movie_id))

        def enqueue(pipe: ReadCommands) -> None:
            movies.enqueue_card(pipe, movie_id)
            pipe.hget(search.shown_key, str(movie_id))
            pipe.get(key)

        sources = (AnswerSource(movies), AnswerSource(search, is_built=True))
        fields, shown, entry = request.fetch(enqueue, *sources)
        card = compose(fields)
        if card is None:
            raise NotFound("There is no such movie.")
        version = (shown or _NO_DOCUMENT) if request.is_cacheable else None
        details = DETAILS.get(CacheLookup(key, version, entry), lambda: load(search, movie_id))
        return self.respond(request, pagination.merge_objects(card, details))


def load(search: Search, movie: int) -> bytes:
    """Load the details from the movie's document, as JSON.

    Raises Unavailable while the index is being filled or can't be reached.
    """
    with translate_index_errors():
        details = search.extended_details(movie)
    if details is None and not search.is_filled():
        raise Unavailable("The search index is being filled.", retry_after_seconds=5)
    return NO_EXTENDED_DETAILS_JSON if details is None else details
