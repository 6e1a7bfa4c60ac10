"""Responses: entity tags, cache headers, and 304 Not Modified."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Literal, NamedTuple, TypeAlias

from django.http import HttpResponse

CachePolicy: TypeAlias = Literal["a moment", "a minute", "never"]
"""How long shared caches may give an answer to other clients."""

_CACHE_HEADERS: dict[CachePolicy, dict[str, str]] = {
    # Answers to Log-Position and As-Of must not be shared with other requests.
    "a moment": {"Cache-Control": "public, max-age=1", "Vary": "Log-Position, As-Of"},
    "a minute": {"Cache-Control": "public, max-age=60", "Vary": "Log-Position, As-Of"},
    "never": {"Cache-Control": "private, no-cache", "Vary": "Authorization"},
}
_JSON = {"Content-Type": "application/json"}


class Rendered(NamedTuple):
    """A complete response."""

    status: Literal[200, 304]
    headers: dict[str, str]
    body: bytes

    def response(self) -> HttpResponse:
        """As Django's response."""
        response = HttpResponse(self.body, status=self.status, headers=self.headers)
        if not self.body:
            del response.headers["Content-Type"]
        return response


def render(
    meta: Mapping[str, Any], body: bytes, *, cache_policy: CachePolicy, headers: Mapping[str, str]
) -> Rendered:
    """Render 200, or 304 if the client has this body. Call it only after all checks."""
    tag = f'"{sha256(body).hexdigest()[:24]}"'
    if_none_match = meta.get("HTTP_IF_NONE_MATCH")
    if if_none_match is not None and _matches(if_none_match, tag):
        return Rendered(304, {"ETag": tag, **_CACHE_HEADERS[cache_policy], **headers}, b"")
    return Rendered(200, {**_JSON, "ETag": tag, **_CACHE_HEADERS[cache_policy], **headers}, body)


def _matches(if_none_match: str, tag: str) -> bool:
    tags = (word.strip().removeprefix("W/") for word in if_none_match.split(","))
    return any(word in (tag, "*") for word in tags)
