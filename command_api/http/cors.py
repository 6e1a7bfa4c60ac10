"""CORS: only the site's own origin (MARQUEE_SITE_ORIGIN) may send commands from a browser."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from infra.config import config

_ALLOW = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, Idempotency-Key, If-Match, X-Request-ID, traceparent"
    ),
    "Access-Control-Max-Age": "600",
}
_EXPOSE = (
    "ETag, Idempotency-Replayed, Log-Position, RateLimit-Limit, RateLimit-Remaining,"
    " RateLimit-Reset, Retry-After, X-Request-ID"
)


class CorsMiddleware:
    """Middleware that answers preflight requests and lets the site read the answers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        origin = request.META.get("HTTP_ORIGIN")
        if origin is None:
            return self._get_response(request)
        is_preflight = (
            request.method == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in request.META
        )
        response = HttpResponse(status=204) if is_preflight else self._get_response(request)
        response.headers["Vary"] = "Origin"
        if origin and origin == config().site_origin:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = _EXPOSE
            if is_preflight:
                for name, value in _ALLOW.items():
                    response.headers[name] = value
        return response
