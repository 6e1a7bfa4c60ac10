"""How does an answer go out: its tag, its age, who may keep it?"""

from hashlib import sha256
from typing import Literal, TypeAlias

from django.http import HttpRequest, HttpResponse

Keep: TypeAlias = Literal["a moment", "a minute", "never"]
"""How long may caches give an answer to others without asking?"""

_CACHE_CONTROL: dict[Keep, str] = {
    "a moment": "public, max-age=1",
    "a minute": "public, max-age=60",
    "never": "private, no-cache",
}
_VARY: dict[Keep, str] = {
    # Who waits for a position must not get what a cache kept from before it.
    "a moment": "Log-Position",
    "a minute": "Log-Position",
    "never": "Authorization",
}


def respond(
    request: HttpRequest, body: bytes, *, keep: Keep, headers: dict[str, str]
) -> HttpResponse:
    """The answer, or 304 when the client has exactly these bytes. Ask only after all checks."""
    tag = f'"{sha256(body).hexdigest()[:24]}"'
    common = {
        "ETag": tag,
        "Cache-Control": _CACHE_CONTROL[keep],
        "Vary": _VARY[keep],
        "X-Content-Type-Options": "nosniff",
        **headers,
    }
    known = request.META.get("HTTP_IF_NONE_MATCH")
    if known is not None and _is_known(known, tag):
        response = HttpResponse(status=304, headers=common)
        del response.headers["Content-Type"]
        return response
    return HttpResponse(body, content_type="application/json", headers=common)


def _is_known(known: str, tag: str) -> bool:
    tags = (word.strip().removeprefix("W/") for word in known.split(","))
    return any(word in (tag, "*") for word in tags)
