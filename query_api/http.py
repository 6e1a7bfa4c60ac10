"""What do all reads have in common over HTTP?

DRF declares the views and describes them; the way of a GET through ``dispatch`` is our own, because
DRF's (content negotiation, request and response wrapping) takes as long as the whole answer.
"""

from collections.abc import Mapping
from time import perf_counter
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.views import APIView

from events.position import HEADER as LOG_POSITION
from infra import clients, problems, throttle
from infra.observability import count, took
from infra.refused import Refused, Unavailable
from projectors.live import NotReady
from query_api.asking import Asking, Ready
from query_api.rendering import Keep, render

READ_HEADERS: Mapping[str, str] = {
    LOG_POSITION: "What a command answered with: the read waits until it knows of it.",
    "Prefer": "wait=N: for so many seconds at most (0 to 5, default 1).",
}


class ReadView(APIView):
    """Something that can be asked. Methods take Django's own request, and ``self.asking``."""

    needs_token: ClassVar[bool] = False
    keep: ClassVar[Keep] = "a moment"
    asking: Asking

    def ready(self, **path: Any) -> Ready | None:
        """The answer that lies ready for this question, if there may be one."""
        return None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, or say why not."""
        if request.method not in ("GET", "HEAD"):
            return super().dispatch(request, *args, **kwargs)
        begun = perf_counter()
        try:
            self.asking = _admit(request, needs_token=self.needs_token)
            response = self.get(request, **kwargs)
        except Exception as fault:  # noqa: BLE001 - every fault becomes a problem there
            response = problems.respond(_meant(fault), request)
        note(type(self), response.status_code, perf_counter() - begun)
        return response

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """The answer."""
        raise NotImplementedError

    def respond(self, body: bytes) -> HttpResponse:
        """The answer as it goes out."""
        headers = self.asking.headers()
        return render(self.asking.meta, body, keep=self.keep, headers=headers).response()


def note(view: type[ReadView], status: int, seconds: float) -> None:
    """Count an answer."""
    name = view.__name__
    count("marquee_http_requests_total", view=name, method="GET", status=str(status))
    took("marquee_http_seconds", seconds, view=name)


def _admit(request: HttpRequest, *, needs_token: bool) -> Asking:
    try:
        return Asking(request.META, needs_token=needs_token)
    except Refused:
        throttle.of_address(request).check(clients.redis())  # guessing tokens counts
        raise


def _meant(fault: Exception) -> Exception:
    """What a fault of the read models means to who asks."""
    if isinstance(fault, NotReady):
        return Unavailable(f"{fault} is being built.", retry_after_seconds=5)
    return fault
