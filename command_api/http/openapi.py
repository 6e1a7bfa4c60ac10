"""OpenAPI description of a command: common headers, answers and problems."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rest_framework import serializers

from infra.http.openapi import Headers, Method, Shape, operation
from infra.http.permissions import needs_token

_ONCE = {
    "Idempotency-Key": "A command sent again with the same key within a day is not executed again;"
    " it gets the first answer, with Idempotency-Replayed: true."
}
_TRACED = {"X-Request-ID": "A UUID that the command's events carry; made if none is given."}
_IF_MATCH = {"If-Match": 'The versions that the resource may have, like "3" (see ETag).'}
_ALWAYS = (422, 429, 503)
_WITH_BODY = (400, 413, 415)


def describe_command(
    name: str,
    *,
    answers: Mapping[int, Shape | None],
    problems: Sequence[int] = (),
    body: serializers.BaseSerializer[Any] | None = None,
    is_conditional: bool = False,
    appends: bool = True,
    media_type: str = "application/json",
) -> Callable[[Method], Method]:
    """Describe a view's method; ``describe_view`` adds what its class declares.

    ``body``: where it differs from the view's serializer. ``appends``: whether the method may
    append events, and so answer 409 when its stream moved meanwhile.
    """

    def complete(view: Any, method: Method) -> None:
        is_public = not needs_token(view.permission_classes)
        shape = body or view.bodies.get(method.__name__.upper())
        operation(
            name,
            answers=answers,
            problems=sorted(
                {
                    *problems,
                    *_ALWAYS,
                    *(_WITH_BODY if shape is not None else ()),
                    *(() if is_public else (401,)),
                    *((409,) if appends else ()),
                    *((412,) if is_conditional else ()),
                }
            ),
            body=shape,
            headers=Headers(
                _TRACED
                | (_ONCE if view.takes_idempotency_key else {})
                | (_IF_MATCH if is_conditional else {})
            ),
            needs_token=not is_public,
            media_type=media_type,
        )(method)

    def describe(method: Method) -> Method:
        described: Any = method
        described.complete_description = complete
        return method

    return describe


def describe_view(view: type) -> None:
    """Describe the methods of a view's class, which declares permission, bodies and keys."""
    for method in vars(view).values():
        if hasattr(method, "complete_description"):
            method.complete_description(view, method)
