"""What do all reads have in common over HTTP?

The order of things: who asks; is it fresh enough; then one round trip to Redis that counts the
request, fetches what would end the token, and fetches the data; then the checks; then the answer.

DRF declares the views and describes them; the way of a GET through ``dispatch`` is our own, because
DRF's (content negotiation, request and response wrapping) takes as long as the whole answer.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from math import ceil
from time import perf_counter, time
from typing import Any, ClassVar, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from redis.client import Pipeline
from rest_framework.views import APIView

from events.position import HEADER as LOG_POSITION
from infra import clients, problems, throttle, tokens
from infra.config import config
from infra.observability import count, took
from infra.refused import Refused, Unauthenticated, Unavailable
from infra.throttle import Throttle
from infra.tokens import Identity
from infra.trip import Trip
from projectors.live import Live, NotReady
from projectors.sessions.read_model import Sessions, is_valid
from query_api import fresh, rendering
from query_api.fresh import Source
from query_api.rendering import Keep

READ_HEADERS: Mapping[str, str] = {
    LOG_POSITION: "What a command answered with: the read waits until it knows of it.",
    "Prefer": "wait=N: for so many seconds at most (0 to 5, default 1).",
}


@cache
def live() -> Live:
    """Which generations answer."""
    return Live(clients.redis())


class ReadView(APIView):
    """Something that can be asked. Methods take Django's own request."""

    needs_token: ClassVar[bool] = False
    keep: ClassVar[Keep] = "a moment"

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Nobody is known yet, nothing is read yet."""
        super().setup(request, *args, **kwargs)
        self.identity: Identity | None = None
        self._sources: tuple[Source, ...] = ()
        self._rate: Mapping[str, str] | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, or say why not."""
        if request.method not in ("GET", "HEAD"):
            return super().dispatch(request, *args, **kwargs)
        begun = perf_counter()
        try:
            self.identity = self._identify(request)
            response = self.get(request, **kwargs)
        except Exception as fault:  # noqa: BLE001 - every fault becomes a problem there
            response = problems.respond(_meant(fault), request)
        self._measure(response.status_code, perf_counter() - begun)
        return response

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """The answer."""
        raise NotImplementedError

    @property
    def user_id(self) -> UUID:
        """The id of who asks."""
        if self.identity is None:
            raise Unauthenticated
        return self.identity.user_id

    def ask(
        self, request: HttpRequest, enqueue: Callable[[Pipeline], object], *sources: Source
    ) -> list[Any]:
        """The results of what ``enqueue`` put into the pipeline, after all checks."""
        self._sources = sources
        if (positions := request.META.get("HTTP_LOG_POSITION")) is not None:
            self._fetch(request, lambda _: None)  # who may not ask may not wait either
            fresh.wait(positions, request.META.get("HTTP_PREFER", ""), sources)
        return self._fetch(request, enqueue)

    def respond(self, request: HttpRequest, body: bytes) -> HttpResponse:
        """The answer as it goes out."""
        headers = {**self._age(), **(self._rate or {})}
        return rendering.respond(request, body, keep=self.keep, headers=headers)

    def _fetch(self, request: HttpRequest, enqueue: Callable[[Pipeline], object]) -> list[Any]:
        counter = self._throttle(request) if self._rate is None else None
        trip = Trip()
        pipe = cast("Pipeline", trip)  # it has those commands that answers need, by the same names
        if counter is not None:
            counter.enqueue(pipe)
        counted = len(trip)
        if self.identity is not None:
            live().open(Sessions).enqueue(pipe, self.identity.user_id)
        checked = len(trip)
        enqueue(pipe)
        results = trip.go(clients.redis())
        if counter is not None:
            self._rate = counter.judge(results[0])
        if self.identity is not None:
            self._refuse_revoked(self.identity, results[counted])
        return results[checked:]

    def _identify(self, request: HttpRequest) -> Identity | None:
        authorization = request.META.get("HTTP_AUTHORIZATION")
        if authorization is None and not self.needs_token:
            return None
        try:
            return tokens.bearer(authorization or "")
        except Refused:
            throttle.of_address(request).check(clients.redis())
            raise

    def _throttle(self, request: HttpRequest) -> Throttle | None:
        if not config().throttle:
            return None
        if self.identity is not None:
            return throttle.of_user(self.identity.user_id)
        return throttle.of_address(request)

    def _refuse_revoked(self, identity: Identity, revoked: Mapping[bytes, bytes]) -> None:
        if not is_valid(revoked, identity.family, identity.epoch, datetime.now(UTC)):
            raise Unauthenticated("The access token was revoked.")

    def _age(self) -> dict[str, str]:
        """How far what was read may be behind the log; nothing is said before it was ever level."""
        moments = [live().level_at(source.model.name) for source in self._sources]
        known = [moment for moment in moments if moment is not None]
        if not known or len(known) < len(moments):
            return {}
        return {"Log-Age": str(max(0, ceil(time() - min(known))))}

    def _measure(self, status: int, seconds: float) -> None:
        view = type(self).__name__
        count("marquee_http_requests_total", view=view, method="GET", status=str(status))
        took("marquee_http_seconds", seconds, view=view)


def _meant(fault: Exception) -> Exception:
    """What a fault of the read models means to who asks."""
    if isinstance(fault, NotReady):
        return Unavailable(f"{fault} is being built.", retry_after_seconds=5)
    return fault
