"""OpenAPI description of a command: common headers, answers and problems."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rest_framework import serializers

from infra.http.openapi import Headers, Method, Shape, operation

_ONCE = {
    "Idempotency-Key": "A command sent again with the same key within a day is not executed again;"
    " it gets the first answer, with Idempotency-Replayed: true."
}
_TRACED = {"X-Request-ID": "A UUID that the command's events carry; made if none is given."}
_IF_MATCH = {"If-Match": 'The versions that the resource may have, like "3" (see ETag).'}
_ALWAYS = (422, 429, 503)
_WITH_BODY = (400, 413, 415)


def describe_command(  # noqa: PLR0913 - a keyword for each part of the description
    name: str,
    *,
    answers: Mapping[int, Shape | None],
    problems: Sequence[int] = (),
    body: Shape | serializers.BaseSerializer[Any] | None = None,
    is_public: bool = False,
    takes_idempotency_key: bool = True,
    is_conditional: bool = False,
    appends: bool = True,
    media_type: str = "application/json",
) -> Callable[[Method], Method]:
    """Describe a view's method; headers and problems that all commands share are added.

    ``appends``: whether it may append events, and so answer 409 when its stream moved meanwhile.
    """
    return operation(
        name,
        answers=answers,
        problems=sorted(
            {
                *problems,
                *_ALWAYS,
                *(_WITH_BODY if body is not None else ()),
                *(() if is_public else (401,)),
                *((409,) if appends else ()),
                *((412,) if is_conditional else ()),
            }
        ),
        body=body,
        headers=Headers(
            _TRACED
            | (_ONCE if takes_idempotency_key else {})
            | (_IF_MATCH if is_conditional else {})
        ),
        needs_token=not is_public,
        media_type=media_type,
    )
