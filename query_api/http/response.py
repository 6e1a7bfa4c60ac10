"""How does an answer go out: its tag, its age, who may keep it?"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Literal, NamedTuple, TypeAlias

from django.http import HttpResponse

Keep: TypeAlias = Literal["a moment", "a minute", "never"]
"""How long may caches give an answer to others without asking?"""

_KEEPING: dict[Keep, dict[str, str]] = {
    # Who waits for a position, or asks how it was, must not get what a cache kept from others.
    "a moment": {"Cache-Control": "public, max-age=1", "Vary": "Log-Position, As-Of"},
    "a minute": {"Cache-Control": "public, max-age=60", "Vary": "Log-Position, As-Of"},
    "never": {"Cache-Control": "private, no-cache", "Vary": "Authorization"},
}
_JSON = {"Content-Type": "application/json"}


class Rendered(NamedTuple):
    """An answer, complete."""

    status: Literal[200, 304]
    headers: dict[str, str]
    body: bytes

    def response(self) -> HttpResponse:
        """The same for Django."""
        response = HttpResponse(self.body, status=self.status, headers=self.headers)
        if not self.body:
            del response.headers["Content-Type"]
        return response


def render(
    meta: Mapping[str, Any], body: bytes, *, keep: Keep, headers: Mapping[str, str]
) -> Rendered:
    """The answer, or 304 when the client has exactly these bytes. Ask only after all checks."""
    tag = f'"{sha256(body).hexdigest()[:24]}"'
    known = meta.get("HTTP_IF_NONE_MATCH")
    if known is not None and _is_known(known, tag):
        return Rendered(304, {"ETag": tag, **_KEEPING[keep], **headers}, b"")
    return Rendered(200, {**_JSON, "ETag": tag, **_KEEPING[keep], **headers}, body)


def _is_known(known: str, tag: str) -> bool:
    tags = (word.strip().removeprefix("W/") for word in known.split(","))
    return any(word in (tag, "*") for word in tags)
