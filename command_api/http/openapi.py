"""How is a command described to those who call it?"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rest_framework import serializers

from infra.http.openapi import Headers, Method, Shape, operation

_ONCE = {
    "Idempotency-Key": "Sent again within a day, the command is not done again; the answer is that"
    " of the first time, with Idempotency-Replayed: true."
}
_TRACED = {"X-Request-ID": "A UUID that the command's events carry; one is made if none is given."}
_IF_MATCH = {"If-Match": 'The versions in which it may be done, as "3"; answers carry it as ETag.'}
_ALWAYS = (422, 429, 503)
_WITH_BODY = (400, 413, 415)


def describe_command(  # noqa: PLR0913 - a keyword for each thing that can be said
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
    """Describe a view's method; what all commands have in common need not be said.

    ``appends``: whether it may append events, and so be told that its stream moved meanwhile.
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
