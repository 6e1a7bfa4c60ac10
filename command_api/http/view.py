"""Base class of command views: token, rate limit, body, idempotency, then the command itself.

After the command is committed, the views announce its partition, so that the relay and the log
followers need not wait for their next poll.

DRF declares and describes the views. ``dispatch`` is our own, because DRF's content negotiation and
its wrapping of request and response cost more than the command itself.
"""

import re
from collections.abc import Mapping
from time import perf_counter
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.views import APIView

from command_api.http.idempotency import REPLAYED, Reply, idempotent, scope_of
from command_api.http.openapi import describe_view
from command_api.http.request_body import content_length, read_body
from command_api.http.token_revocation import refuse_revoked
from events import notifications
from events.position_token import HEADER as LOG_POSITION
from events.position_token import encode_position
from events.recorded import Origin, Position
from events.store import WrongExpectedVersion
from events.vault.subjects import KeyMissing
from infra import clients
from infra.errors import Conflict, Refused, Unauthenticated, Unavailable, Unsupported
from infra.http import problem_details, strict_json
from infra.http.permissions import needs_token
from infra.http.strict_json import StrictSerializer
from infra.observability import correlation_id, observe_response
from infra.rate_limit import sliding_window
from infra.rate_limit.atomic_counters import admit
from infra.rate_limit.sliding_window import RATE, LocalCounters, Throttle
from infra.security import access_tokens
from infra.security.access_tokens import Identity

_counters = LocalCounters()
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)


class Call(NamedTuple):
    """The request as a command view sees it."""

    identity: Identity | None
    body: Mapping[str, Any]
    origin: Origin
    if_match: str | None = None
    meta: Mapping[str, Any] = {}
    """The WSGI environment."""

    @property
    def user_id(self) -> UUID:
        if self.identity is None:
            raise Unauthenticated
        return self.identity.user_id


class Answer(NamedTuple):
    """A command's result: the log position to wait for, and what the client reads."""

    position: Position | None
    data: Any = None
    status: int = 200
    version: int | None = None
    """The new version of a resource that supports If-Match; sent as its ETag."""
    is_kept: bool = True
    """Whether an Idempotency-Key keeps it; False for an answer that refuses everything."""


class CommandView(APIView):
    """A resource that commands change. Methods take a Call and return an Answer.

    A view must declare its ``permission_classes``; without them it refuses every request.
    """

    metrics_name: ClassVar[str] = ""
    """The ``view`` label of its metrics; the class name by default."""
    takes_idempotency_key: ClassVar[bool] = True
    bodies: ClassVar[Mapping[str, type[StrictSerializer]]] = {}
    """The body's serializer, by method."""
    bodies_optional: ClassVar[frozenset[str]] = frozenset()
    """Methods whose body may be left out, which means the same as an empty object."""

    def __init_subclass__(cls) -> None:
        describe_view(cls)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer the request; every exception becomes problem details."""
        started = perf_counter()
        request_id = request.META["HTTP_X_REQUEST_ID"] = str(correlation_id(request))
        try:
            response = self._answer(request, **kwargs)
        except Exception as fault:  # noqa: BLE001 - every fault becomes problem details there
            response = problem_details.respond(_as_refusal(fault), request)
        response.headers["X-Request-ID"] = request_id
        view, method = self.metrics_name or type(self).__name__, request.method or ""
        observe_response(view, method, response.status_code, perf_counter() - started)
        return response

    def scope(self, call: Call) -> str:
        """Return the scope in which an Idempotency-Key is unique."""
        return scope_of(call.user_id)

    def admit(self, request: HttpRequest) -> tuple[Identity | None, Mapping[str, str]]:
        """Authenticate and rate-limit the request; return the RateLimit headers, too."""
        identity = None
        try:
            if needs_token(self.permission_classes):
                identity = access_tokens.bearer(request.META.get("HTTP_AUTHORIZATION", ""))
                refuse_revoked(identity)
        except Refused:
            by_address = sliding_window.of_address(request)
            request.META[RATE] = admit([by_address], clients.redis())  # guessing tokens counts
            raise
        throttle = self.throttle(request, identity)
        request.META[RATE] = rate = (
            _counters.check(throttle, clients.redis())
            if throttle.scope == "write"
            else admit([throttle], clients.redis())
        )
        return identity, rate

    def throttle(self, request: HttpRequest, identity: Identity | None) -> Throttle:
        return (
            sliding_window.of_user(identity.user_id)
            if identity
            else sliding_window.of_address(request)
        )

    def _answer(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        method = request.method or ""
        handler = getattr(self, method.lower(), None) if method in _METHODS else None
        if handler is None:
            return problem_details.not_allowed(request, self.allowed_methods)
        identity, rate = self.admit(request)
        raw, body = self._read(request, method)
        if identity is not None and raw:
            refuse_revoked(identity)  # again: a slow body may outlive its token
        meta = request.META
        call = Call(identity, body, origin_of(request), meta.get("HTTP_IF_MATCH"), meta)
        partitions: list[int] = []

        def execute() -> Reply:
            answer: Answer = handler(call, **kwargs)
            body = b"" if answer.data is None else strict_json.encode(answer.data)
            etag = "" if answer.version is None else f'"{answer.version}"'
            position = ""
            if answer.position is not None:
                partitions.append(answer.position.partition)
                position = encode_position(answer.position)
            return Reply(answer.status, body, position, etag, is_kept=answer.is_kept)

        key = meta.get("HTTP_IDEMPOTENCY_KEY") if self.takes_idempotency_key else None
        if key is None:
            reply = execute()
        else:
            once = idempotent(self.scope(call), key, method=method, path=request.path, body=raw)
            reply = once.run(execute)
        notifications.announce(*partitions)
        return _respond(reply, rate)

    def _read(self, request: HttpRequest, method: str) -> tuple[bytes, Mapping[str, Any]]:
        length, expected = content_length(request), self.bodies.get(method)
        if expected is None:
            return b"", {}
        is_left_out = not length and method in self.bodies_optional
        if not is_left_out and request.content_type != "application/json":
            raise Unsupported
        raw = read_body(request)
        return raw, expected.read({} if is_left_out else strict_json.decode(raw))


def _as_refusal(fault: Exception) -> Exception:
    """Translate faults of log and vault that a client can retry."""
    match fault:
        case WrongExpectedVersion():
            return Conflict("The resource was changed by other requests meanwhile. Try again.")
        case KeyMissing():
            return Unavailable("The vault does not hold the user's key yet. Try again in a moment.")
        case _:
            return fault


def origin_of(request: HttpRequest) -> Origin:
    trace = request.META.get("HTTP_TRACEPARENT", "")
    return Origin(
        correlation_id=correlation_id(request),
        traceparent=trace if _TRACEPARENT.fullmatch(trace) else None,
    )


def _respond(reply: Reply, rate: Mapping[str, str]) -> HttpResponse:
    response = HttpResponse(
        reply.body,
        status=reply.status,
        content_type="application/json" if reply.body else None,
        headers={"Cache-Control": "no-store", "Content-Length": str(len(reply.body)), **rate},
    )
    if not reply.body:
        del response.headers["Content-Type"]
    if reply.position:
        response.headers[LOG_POSITION] = reply.position
    if reply.etag:
        response.headers["ETag"] = reply.etag
    if reply.is_replayed:
        response.headers[REPLAYED] = "true"
    return response
