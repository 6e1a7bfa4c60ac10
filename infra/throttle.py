"""How often may someone ask?

Fixed windows of a minute, counted in Redis under ``throttle:*``. The count can ride in the pipeline
that fetches the answer, so that it costs no round trip of its own.
"""

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address, ip_network
from time import time
from typing import Any, Literal, NamedTuple, TypeAlias
from uuid import UUID

import structlog
from django.http import HttpRequest
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError

from infra.config import config
from infra.refused import TooMany

Scope: TypeAlias = Literal["anonymous", "user", "login"]
WINDOW_SECONDS = 60
COMMANDS = 2
"""How many answers ``enqueue`` adds to a pipeline; ``judge`` wants the first."""

_log = structlog.get_logger(__name__)


class Throttle(NamedTuple):
    """One counter: whose, and how high it may go in a window."""

    scope: Scope
    who: str
    limit: int
    now: float

    @property
    def key(self) -> str:
        """Where this minute's count is."""
        return f"throttle:{self.scope}:{self.who}:{int(self.now) // WINDOW_SECONDS}"

    def enqueue(self, pipe: Pipeline, by: int = 1) -> None:
        """Count this request, or so many, in a pipeline."""
        pipe.incr(self.key, by)
        pipe.expire(self.key, 2 * WINDOW_SECONDS)

    def judge(self, count: int) -> dict[str, str]:
        """The RateLimit headers; raises TooMany beyond the limit."""
        reset = WINDOW_SECONDS - int(self.now) % WINDOW_SECONDS
        headers = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(0, self.limit - count)),
            "RateLimit-Reset": str(reset),
        }
        if count > self.limit and config().throttle:
            raise TooMany(
                f"At most {self.limit} requests a minute.", retry_after_seconds=reset, rate=headers
            )
        return headers

    def check(self, redis: Redis) -> dict[str, str]:
        """Count and judge by itself; lets through when Redis is away."""
        count = self.tell(redis)
        return {} if count is None else self.judge(count)

    def tell(self, redis: Redis, by: int = 1) -> int | None:
        """How many there were this minute, with these; None when Redis is away."""
        try:
            with redis.pipeline(transaction=False) as pipe:
                self.enqueue(pipe, by)
                counted: list[int] = pipe.execute()
        except RedisError as fault:
            _log.warning("throttle away", fault=repr(fault))
            return None
        return counted[0]


def of_user(user_id: UUID) -> Throttle:
    """For what a user does."""
    return Throttle("user", str(user_id), config().throttle_user_per_minute, time())


def of_address(request: HttpRequest) -> Throttle:
    """For what somebody without a token does."""
    return of_nobody(request.META)


def of_nobody(meta: Mapping[str, Any]) -> Throttle:
    """The same, out of what WSGI says of a request."""
    return Throttle("anonymous", address(meta), config().throttle_anonymous_per_minute, time())


def of_login(request: HttpRequest) -> Throttle:
    """For log-ins and registrations, which cost much and invite guessing."""
    return Throttle("login", address(request.META), config().throttle_login_per_minute, time())


def address(meta: Mapping[str, Any]) -> str:
    """Where a request comes from: an IPv4 address, or the /64 that one IPv6 customer has.

    X-Forwarded-For is believed only as far as our own proxies wrote it.
    """
    found: str = meta.get("REMOTE_ADDR", "")
    if proxies := config().trusted_proxies:
        hops = meta.get("HTTP_X_FORWARDED_FOR", "").split(",")
        found = hops[-proxies].strip() if len(hops) >= proxies else found
    try:
        parsed = ip_address(found)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped or ip_network((parsed, 64), strict=False).network_address)
    return found
