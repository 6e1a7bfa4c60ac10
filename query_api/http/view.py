"""Read views: base class of all GET endpoints.

DRF declares and describes the views. ``dispatch`` is our own: DRF's content negotiation and
wrapping of requests and responses take as long as the whole answer.
"""

from time import perf_counter
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.views import APIView

from events.position_token import HEADER as LOG_POSITION
from infra import clients
from infra.errors import NotFound, Unauthenticated, Unavailable
from infra.http import problem_details
from infra.http.openapi import Headers
from infra.http.permissions import needs_token
from infra.observability import observe_response
from infra.rate_limit import sliding_window
from infra.rate_limit.sliding_window import RATE, Scope, check_in_redis
from projectors.generations.live import NoSuchPast, NotReady
from query_api.http import as_of
from query_api.http.as_of import AS_OF, AsOfRequest
from query_api.http.request import LOG_PARKED, PreparedAnswer, ReadRequest
from query_api.http.response import CachePolicy, render

READ_HEADERS = Headers(
    request={
        LOG_POSITION: "The Log-Position of a command's response: the read waits for it.",
        "Prefer": "wait=N: wait N seconds at most (0 to 5, default 1).",
        AS_OF: "For staff: the label of a past moment; the answer is as of that moment.",
    },
    response={
        "Log-Age": "Seconds that the answer may be behind the log; not sent with As-Of.",
        LOG_PARKED: (
            "Only with a Log-Position: the read models that have parked its event. It is not in"
            " this answer until an operator retries it; waiting does not help."
        ),
    },
)
PROBLEMS = (401, 403, 404, 414, 422, 429, 503)
"""Statuses that every read may have; 403 and 404 with As-Of."""


class ReadView(APIView):
    """A GET endpoint. Each declares its ``permission_classes``; without, all calls are refused."""

    scope: ClassVar[Scope] = "read"
    cache_policy: ClassVar[CachePolicy] = "a moment"
    metrics_name: ClassVar[str] = ""
    """The view's name in metrics, where it isn't the class's."""

    def prepared(self, request: ReadRequest, **path: Any) -> PreparedAnswer | None:
        """The answer that is kept ready for this request; None if there is none."""
        return None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Respond to the request, or with a problem."""
        if request.method not in ("GET", "HEAD"):
            return problem_details.not_allowed(request, self.allowed_methods)
        begun = perf_counter()
        try:
            is_token_needed = needs_token(self.permission_classes)
            read_request = _admit(request, needs_token=is_token_needed, scope=self.scope)
            response = self.get(read_request, **kwargs)
        except Exception as fault:  # noqa: BLE001 - respond() turns every fault into a problem
            response = problem_details.respond(_translate(fault), request)
        name, seconds = self.metrics_name or type(self).__name__, perf_counter() - begun
        observe_response(name, "GET", response.status_code, seconds)
        return response

    def get(self, request: ReadRequest, **kwargs: Any) -> HttpResponse:
        raise NotImplementedError

    def respond(self, request: ReadRequest, body: bytes) -> HttpResponse:
        """The response with its headers; 304 when the client has this body."""
        policy, headers = self.cache_policy, request.headers()
        return render(request.meta, body, cache_policy=policy, headers=headers).response()


def _admit(request: HttpRequest, *, needs_token: bool, scope: Scope) -> ReadRequest:
    kind = AsOfRequest if as_of.META in request.META else ReadRequest
    try:
        return kind(request.META, needs_token=needs_token, scope=scope)
    except Unauthenticated:
        throttle = sliding_window.of_reader(None, request.META)
        # Counts, so that guessing tokens is limited.
        request.META[RATE] = check_in_redis(throttle, clients.redis())
        raise


def _translate(fault: Exception) -> Exception:
    """Map an exception of the read models to a refusal."""
    if isinstance(fault, NotReady):
        return Unavailable(f"{fault} is being built. Try again in a moment.", retry_after_seconds=5)
    if isinstance(fault, NoSuchPast):
        return NotFound(f"There is no {fault.name} as of {fault.label}.")
    return fault
