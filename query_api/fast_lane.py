"""Fast lane: WSGI middleware that answers hot reads from Redis before Django sees them.

Hot reads are a card, similar movies, the first page of a trending board, suggestions and my
recommendations. The lane calls the view that Django would call. What it can't answer with 200 or
304 is left to Django, which calls the view again and reports the problem; the rate limit counts
the request once.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from time import perf_counter
from typing import Any, TypeAlias

from infra.http.permissions import needs_token
from infra.observability import count, observe_response
from query_api.http.as_of import META as AS_OF
from query_api.http.request import ReadRequest
from query_api.http.response import Rendered, render
from query_api.http.view import ReadView
from query_api.views.movies import MovieView
from query_api.views.recommendations import MyRecommendationsView
from query_api.views.similar import SimilarView
from query_api.views.suggestions import SuggestionsView
from query_api.views.trending import TrendingView

Environ: TypeAlias = dict[str, Any]
Application: TypeAlias = Callable[..., Iterable[bytes]]

_STATUS_LINES = {status: f"{status} {HTTPStatus(status).phrase}" for status in (200, 304)}
_MOVIE = re.compile("/v1/movies/([0-9]{1,18})(/similar)?")
_VIEWS: Mapping[str, type[ReadView]] = {
    "/v1/trending": TrendingView,
    "/v1/suggestions": SuggestionsView,
    "/v1/me/recommendations": MyRecommendationsView,
}


class FastLane:
    """WSGI middleware in front of Django."""

    def __init__(self, django: Application) -> None:
        self._django = django

    def __call__(self, environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
        rendered = answer(environ)
        if rendered is None:
            return self._django(environ, start_response)
        start_response(_STATUS_LINES[rendered.status], list(rendered.headers.items()))
        return [rendered.body]


def answer(environ: Environ) -> Rendered | None:
    """Answer a hot read that is allowed and prepared; None leaves the request to Django."""
    if environ["REQUEST_METHOD"] != "GET" or "HTTP_LOG_POSITION" in environ or AS_OF in environ:
        return None
    path: str = environ["PATH_INFO"]
    if (kind := _VIEWS.get(path)) is not None:
        return _call_view(kind, environ)
    if (movie := _MOVIE.fullmatch(path)) is not None:
        kind = SimilarView if movie[2] else MovieView
        return _call_view(kind, environ, movie_id=int(movie[1]))
    return None


def _call_view(kind: type[ReadView], environ: Environ, **path: Any) -> Rendered | None:
    begun = perf_counter()
    view = kind()
    try:
        is_token_needed = needs_token(view.permission_classes)
        request = ReadRequest(environ, needs_token=is_token_needed, scope=view.scope)
        prepared = view.prepared(request, **path)
        body = None if prepared is None else request.answer(prepared)
    except Exception as fault:  # noqa: BLE001 - Django calls the view again and reports it
        count("marquee_lane_left_total", why=type(fault).__name__)
        return None
    if body is None:
        return None
    rendered = render(environ, body, cache_policy=view.cache_policy, headers=request.headers())
    name = view.metrics_name or kind.__name__
    observe_response(name, "GET", rendered.status, perf_counter() - begun)
    return rendered
