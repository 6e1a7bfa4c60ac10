"""Problem details (RFC 9457): the response to every refusal and fault.

A problem has a type, title, status and detail, and ``errors`` with field and reason.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from django.core.exceptions import (
    BadRequest as DjangoBadRequest,
)
from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
)
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions

from infra.clients import is_store_failure
from infra.errors import (
    BadRequest,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    Refused,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unsupported,
)
from infra.observability import correlation_id, count
from infra.rate_limit.sliding_window import RATE

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 100
"""Errors that an answer lists; 256 KiB of input can have tens of thousands."""
MAX_ERROR_LENGTH = 300
"""Characters of a field's name and of a reason, which may quote the input."""

_log = structlog.get_logger(__name__)
_encoder = msgspec.json.Encoder()


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Problem details."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[FieldError, ...] = ()

    def response(self, headers: Mapping[str, str]) -> HttpResponse:
        """The response; field errors become objects, not pairs."""
        body = msgspec.structs.asdict(self) | {"errors": [e._asdict() for e in self.errors]}
        return HttpResponse(
            _encoder.encode(body),
            status=self.status,
            content_type=MEDIA_TYPE,
            headers={"Cache-Control": "no-store", **headers},
        )


def handle(fault: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """DRF's EXCEPTION_HANDLER."""
    return respond(fault, context["request"])


def respond(fault: Exception, request: Any | None) -> HttpResponse:
    """The response to an exception; ``request`` is None if Django did not handle the request."""
    rate = {} if request is None else request.META.get(RATE, {})
    refused = _as_refused(fault)
    if refused is not None:
        return _problem(refused).response({**rate, **refused.headers})
    if isinstance(fault, exceptions.APIException):
        return _by_status(fault.status_code, str(fault.detail)).response(rate)
    return _unexpected(fault, request)


_REFUSALS: Sequence[tuple[tuple[type[Exception], ...], Callable[[Any], Refused]]] = (
    ((Refused,), lambda fault: fault),
    (
        (exceptions.ValidationError,),
        lambda fault: Invalid("Some fields are invalid.", errors=field_errors(fault.detail)),
    ),
    ((exceptions.ParseError,), lambda fault: BadRequest(str(fault.detail))),
    (
        (exceptions.NotAuthenticated, exceptions.AuthenticationFailed),
        lambda fault: Unauthenticated(str(fault.detail)),
    ),
    ((exceptions.PermissionDenied, PermissionDenied), lambda _: Forbidden()),
    ((exceptions.NotFound, Http404), lambda _: NotFound()),
    ((exceptions.UnsupportedMediaType,), lambda fault: Unsupported(str(fault.detail))),
    ((RequestDataTooBig,), lambda _: TooLarge()),
    (
        (TooManyFieldsSent,),
        lambda _: BadRequest("There are too many parameters or form fields."),
    ),
    ((SuspiciousOperation, DjangoBadRequest), lambda _: BadRequest()),
)
"""Exception of a library -> refusal; the first match counts."""


def _as_refused(fault: Exception) -> Refused | None:
    """The refusal that an exception means; None for a fault."""
    if is_store_failure(fault):
        _log.warning("data store failed", fault=f"{type(fault).__name__}: {fault}")
        return Unavailable("A data store can't be reached. Try again in a moment.")
    return next((means(fault) for kinds, means in _REFUSALS if isinstance(fault, kinds)), None)


def _problem(refused: Refused) -> Problem:
    detail = refused.detail or refused.title
    if len(refused.errors) > MAX_ERRORS:
        detail += f" The first {MAX_ERRORS} of {len(refused.errors)} errors are listed."
    return Problem(
        type=refused.type,
        title=refused.title,
        status=refused.status,
        detail=detail,
        errors=listed(refused.errors, MAX_ERRORS),
    )


def listed(errors: Sequence[FieldError], most: int) -> tuple[FieldError, ...]:
    """The first errors, with long texts cut, so that no input leads to a far larger answer."""
    return tuple(FieldError(_cut(error.field), _cut(error.reason)) for error in errors[:most])


def _cut(text: str) -> str:
    return text if len(text) <= MAX_ERROR_LENGTH else f"{text[: MAX_ERROR_LENGTH - 1]}\u2026"


def _by_status(status: int, detail: str) -> Problem:
    """For statuses of HTTP itself (405, 406)."""
    return Problem(
        type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=detail
    )


def field_errors(detail: Any, path: str = "") -> Iterator[FieldError]:
    """DRF's nested messages as a flat list; nested fields have dots (``ratings.3.score``)."""
    match detail:
        case Mapping():
            for name, inner in detail.items():
                inner_path = path if name == "non_field_errors" else f"{path}.{name}".lstrip(".")
                yield from field_errors(inner, inner_path)
        case str():
            yield FieldError(path, str(detail))
        case Sequence():
            for index, inner in enumerate(detail):
                inner_path = path if isinstance(inner, str) else f"{path}.{index}".lstrip(".")
                yield from field_errors(inner, inner_path)
        case _:
            yield FieldError(path, str(detail))


def _unexpected(fault: Exception, request: Any) -> HttpResponse:
    number = str(correlation_id(request))
    route = request.resolver_match.route if request.resolver_match else ""
    count("marquee_http_faults_total", view=route)
    # The route, not the path: a client chooses that.
    _log.error("fault", correlation_id=number, route=route, exc_info=fault)
    return Problem(
        type="/problems/fault",
        title="Internal error",
        status=HTTPStatus.INTERNAL_SERVER_ERROR,
        detail=f"The error was logged as {number}. Name that number when you report it.",
    ).response({"X-Request-ID": number})


def not_allowed(request: HttpRequest, allowed: Sequence[str]) -> HttpResponse:
    """Answer an unsupported method with 405, and OPTIONS with the allowed ones."""
    if request.method == "OPTIONS" and "OPTIONS" in allowed:
        response = HttpResponse(status=HTTPStatus.NO_CONTENT)
    else:
        response = respond(exceptions.MethodNotAllowed(request.method or ""), request)
    response.headers["Allow"] = ", ".join(allowed)
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django gives both
    """Django's handler404."""
    return respond(NotFound("No such URL."), request)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    return respond(exception, request)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500, called while the fault is being handled."""
    fault = sys.exception()
    return _unexpected(fault if isinstance(fault, Exception) else RuntimeError(), request)
