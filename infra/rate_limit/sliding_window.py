"""Rate limiter: sliding windows, counted in Redis and partly in the process.

A window has two counts in Redis under ``throttle:*``: of this minute, and of the previous one,
which is weighted by the share that the window still covers. A request is judged by the reply to its
own INCR, so no two requests see the same count. Each API has its own keys: the query API's Redis
user may write ``throttle:query:*`` only (infra/redis/users.acl), so a compromised query API can't
reset the counters of log-ins.

Reads count in the round trip that fetches their answer (``enqueue``, ``judge``), by plain commands:
the query API's user may run no scripts. A refused read has been counted, so a client that continues
stays refused until it slows down. Commands count by ``LocalCounters``; limits against guessing by
``infra.rate_limit.atomic_counters``.
"""

from collections.abc import Mapping, Sequence
from threading import Lock
from time import monotonic, time
from typing import Any, Literal, NamedTuple, Self, TypeAlias
from uuid import UUID

import structlog
from django.http import HttpRequest
from redis import Redis
from redis.exceptions import RedisError

from infra.config import config
from infra.errors import TooMany, Unavailable
from infra.rate_limit.client_address import address
from infra.redis_pipeline import ReadCommands

Scope: TypeAlias = Literal[
    # Reads of a user, or of an address without a valid token.
    "read",
    # Searches of the same; they cost the index.
    "search",
    # Commands of an address without a valid token.
    "anonymous",
    # Commands of a user.
    "write",
    # Imports of ratings and exports of a user.
    "import",
    # Registrations of an address; each costs a password hash.
    "register",
    # Log-ins of an address; the same.
    "login",
    # Log-ins with one name, from any address.
    "account",
    # Token refreshes of an address.
    "refresh",
]
_OF_QUERIES: frozenset[Scope] = frozenset({"read", "search"})
MINUTE, HOUR = 60, 3600
RATE = "marquee.rate"
"""META key: the RateLimit headers of a counted request, for refusals too."""

# A process counts locally up to a fiftieth of the limit, for a second at most; near the limit,
# and for small limits, each request goes to Redis. So each process may exceed a limit by a
# fiftieth. Asking Redis each time was a quarter of what a command costs (0.15 of 0.54 ms).
_PARTS = 50
_SYNC_SECONDS = 1.0
_MOST_KEYS = 10_000

_log = structlog.get_logger(__name__)


class WindowCount(NamedTuple):
    """Requests of this window, including the judged one, and of the previous window."""

    current: int
    previous: int

    @classmethod
    def of(cls, replies: Sequence[Any]) -> Self:
        """From the replies to the commands of ``Throttle.enqueue``."""
        current, _, previous = replies
        return cls(current, int(previous or 0))


class Throttle(NamedTuple):
    """The limit of one counter: who is counted, and how many requests a window may have."""

    scope: Scope
    who: str
    limit: int
    now: float
    seconds: int = MINUTE

    @property
    def key(self) -> str:
        """The key of this window's count."""
        return self._key(int(self.now) // self.seconds)

    @property
    def previous_key(self) -> str:
        """The key of the count of the window before."""
        return self._key(int(self.now) // self.seconds - 1)

    @property
    def weight(self) -> float:
        """The share of the window before that still counts."""
        return 1 - self.now % self.seconds / self.seconds

    def _key(self, window: int) -> str:
        side = "query" if self.scope in _OF_QUERIES else "command"
        return f"throttle:{side}:{{{self.scope}:{self.who}}}:{window}"

    def enqueue(self, pipe: ReadCommands, by: int = 1) -> None:
        """Count ``by`` requests in a pipeline, with three commands."""
        pipe.incr(self.key, by)
        pipe.expire(self.key, 2 * self.seconds)
        pipe.get(self.previous_key)

    def used(self, count: WindowCount) -> int:
        """How much of the limit is used."""
        return int(count.previous * self.weight) + count.current

    def judge(self, count: WindowCount) -> dict[str, str]:
        """The RateLimit headers; raises TooMany beyond the limit."""
        used = self.used(count)
        is_over = used > self.limit and config().throttle
        reset = self.wait_seconds(count) if is_over else self._left_seconds()
        headers = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(0, self.limit - used)),
            "RateLimit-Reset": str(reset),
        }
        if is_over:
            window = "an hour" if self.seconds == HOUR else "a minute"
            raise TooMany(
                f"At most {self.limit} requests {window}.",
                retry_after_seconds=reset,
                rate=headers,
            )
        return headers

    def wait_seconds(self, count: WindowCount) -> int:
        """Seconds until one more request is let through, if none comes until then."""
        taken, passed = count.current - 1, self.now % self.seconds
        if taken < self.limit:  # wait until less of the previous window counts
            share = 1 - (self.limit - taken) / count.previous
            wait = share * self.seconds - passed
        else:
            share = 1 - self.limit / taken
            wait = self.seconds - passed + share * self.seconds
        return max(1, int(wait) + 1)

    def _left_seconds(self) -> int:
        return self.seconds - int(self.now) % self.seconds


class _LocalCount:
    """The last count from Redis, and the requests that were not sent to it since."""

    __slots__ = ("synced", "synced_at", "unsynced")

    def __init__(self) -> None:
        self.synced = WindowCount(0, 0)
        self.synced_at = float("-inf")
        self.unsynced = 0

    @property
    def total(self) -> WindowCount:
        return self.synced._replace(current=self.synced.current + self.unsynced)

    def may_stay_unsynced(self, throttle: Throttle) -> bool:
        part = throttle.limit // _PARTS
        return (
            self.unsynced < part
            and throttle.used(self.total) + part < throttle.limit
            and monotonic() - self.synced_at < _SYNC_SECONDS
        )


class LocalCounters:
    """The counts of one process, which sends them to Redis in batches; thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: dict[str, _LocalCount] = {}

    def check(self, throttle: Throttle, redis: Redis) -> dict[str, str]:
        """Count a request; the RateLimit headers. Raises TooMany beyond the limit."""
        with self._lock:
            count = self._of(throttle.key)
            count.unsynced += 1
            to_sync = 0 if count.may_stay_unsynced(throttle) else count.unsynced
            count.unsynced -= to_sync
        if to_sync:
            synced = _sync(throttle, redis, to_sync)
            if synced is None:
                return {}
            count.synced, count.synced_at = synced, monotonic()
        return throttle.judge(count.total)

    def _of(self, key: str) -> _LocalCount:
        if key not in self._counts:
            if len(self._counts) >= _MOST_KEYS:
                self._counts.clear()
            self._counts[key] = _LocalCount()
        return self._counts[key]


def check_in_redis(throttle: Throttle, redis: Redis) -> dict[str, str]:
    """Count a request in Redis at once; the RateLimit headers. Raises TooMany beyond the limit."""
    count = _sync(throttle, redis, 1)
    return {} if count is None else throttle.judge(count)


def _sync(throttle: Throttle, redis: Redis, by: int) -> WindowCount | None:
    """Count in Redis; None if Redis is away and the request is let through."""
    try:
        with redis.pipeline(transaction=False) as pipe:
            throttle.enqueue(pipe, by)
            return WindowCount.of(pipe.execute())
    except RedisError as fault:
        allow_uncounted([throttle], fault)
        return None


def allow_uncounted(throttles: Sequence[Throttle], fault: RedisError) -> None:
    """Let a request through when Redis can't count it; raises Unavailable for the closed scopes."""
    _log.warning(
        "Redis can't count requests; only scopes of MARQUEE_THROTTLE_CLOSED are refused",
        fault=repr(fault),
    )
    closed = config().throttle_closed.split(",")
    if any(throttle.scope in closed for throttle in throttles):
        raise Unavailable("Attempts can't be counted at the moment. Try again in a moment.")


def of_reader(user_id: UUID | None, meta: Mapping[str, Any], scope: Scope = "read") -> Throttle:
    """Reads of a user, or of an address without a valid token."""
    who = address(meta) if user_id is None else str(user_id)
    if scope == "search":
        limit = config().throttle_search_per_minute
    elif user_id is None:
        limit = config().throttle_anonymous_per_minute
    else:
        limit = config().throttle_user_per_minute
    return Throttle(scope, who, limit, time())


def of_address(request: HttpRequest) -> Throttle:
    """Commands of an address without a valid token."""
    limit = config().throttle_anonymous_per_minute
    return Throttle("anonymous", address(request.META), limit, time())


def of_user(user_id: UUID) -> Throttle:
    """Commands of a user."""
    return Throttle("write", str(user_id), config().throttle_write_per_minute, time())


def of_import(user_id: UUID) -> Throttle:
    """Imports and exports of a user."""
    return Throttle("import", str(user_id), config().throttle_import_per_minute, time())


def of_registration(request: HttpRequest) -> Throttle:
    """Registrations from an address."""
    limit = config().throttle_register_per_minute
    return Throttle("register", address(request.META), limit, time())


def of_login(request: HttpRequest) -> Throttle:
    """Log-ins from an address."""
    return Throttle("login", address(request.META), config().throttle_login_per_minute, time())


def of_refresh(request: HttpRequest) -> Throttle:
    """Token refreshes from an address."""
    limit = config().throttle_refresh_per_minute
    return Throttle("refresh", address(request.META), limit, time())
