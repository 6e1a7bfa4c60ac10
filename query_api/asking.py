"""Who asks, how often, and how fresh must the answer be?

One trip to Redis counts the request, fetches what would end the token, and fetches the data; then
come the checks. ``meta`` is what WSGI says of a request, and what Django calls META.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from math import ceil
from time import time
from typing import Any, NamedTuple, cast
from uuid import UUID

from redis.client import Pipeline

from infra import clients, throttle, tokens
from infra.config import config
from infra.refused import Unauthenticated
from infra.throttle import Throttle
from infra.tokens import Identity
from infra.trip import Trip
from projectors.live import Live
from projectors.sessions.read_model import Sessions, is_valid
from query_api import fresh
from query_api.fresh import Source

Meta = Mapping[str, Any]
Enqueue = Callable[[Pipeline], object]


class Ready(NamedTuple):
    """An answer that lies ready in Redis, or nearly so."""

    enqueue: Enqueue
    read: Callable[[Sequence[Any]], bytes | None]
    """Makes the body of the results; None if it is not there."""
    source: Source


@cache
def live() -> Live:
    """Which generations answer."""
    return Live(clients.redis())


class Asking:
    """One request for something to read; raises Unauthenticated for a bad token."""

    def __init__(self, meta: Meta, *, needs_token: bool) -> None:
        self.meta = meta
        self.identity = _identify(meta, needs_token=needs_token)
        self._sources: tuple[Source, ...] = ()
        self._rate: Mapping[str, str] | None = None

    @property
    def user_id(self) -> UUID:
        """The id of who asks."""
        if self.identity is None:
            raise Unauthenticated
        return self.identity.user_id

    @property
    def query_string(self) -> str:
        """The parameters as they came."""
        found: str = self.meta["QUERY_STRING"]
        return found

    @property
    def positions(self) -> str | None:
        """What must have been taken in."""
        return self.meta.get("HTTP_LOG_POSITION")

    def ask(self, enqueue: Enqueue, *sources: Source) -> list[Any]:
        """The results of what ``enqueue`` put into the pipeline, after all checks."""
        self._sources = sources
        if (positions := self.positions) is not None:
            self._fetch(lambda _: None)  # who may not ask may not wait either
            fresh.wait(positions, self.meta.get("HTTP_PREFER", ""), sources)
        return self._fetch(enqueue)

    def read(self, ready: Ready) -> bytes | None:
        """A ready answer, after all checks; None if it is not there."""
        return ready.read(self.ask(ready.enqueue, ready.source))

    def headers(self) -> dict[str, str]:
        """How old the answer may be, and how often one may ask."""
        return {**_age(self._sources), **(self._rate or {})}

    def _fetch(self, enqueue: Enqueue) -> list[Any]:
        counter = self._throttle() if self._rate is None else None
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
            _refuse_revoked(self.identity, results[counted])
        return results[checked:]

    def _throttle(self) -> Throttle | None:
        if not config().throttle:
            return None
        if self.identity is not None:
            return throttle.of_user(self.identity.user_id)
        return throttle.of_nobody(self.meta)


def _identify(meta: Meta, *, needs_token: bool) -> Identity | None:
    authorization = meta.get("HTTP_AUTHORIZATION")
    if authorization is None and not needs_token:
        return None
    return tokens.bearer(authorization or "")


def _refuse_revoked(identity: Identity, revoked: Mapping[bytes, bytes]) -> None:
    if not is_valid(revoked, identity.family, identity.epoch, datetime.now(UTC)):
        raise Unauthenticated("The access token was revoked.")


def _age(sources: Sequence[Source]) -> dict[str, str]:
    """How far what was read may be behind the log; nothing is said before it was ever level."""
    moments = [live().level_at(source.model.name) for source in sources]
    known = [moment for moment in moments if moment is not None]
    if not known or len(known) < len(moments):
        return {}
    return {"Log-Age": str(max(0, ceil(time() - min(known))))}
