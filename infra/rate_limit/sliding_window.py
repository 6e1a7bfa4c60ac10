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

While Redis can't count, because it is away or refuses to write, the scopes of
MARQUEE_THROTTLE_CLOSED are refused; of the others each process counts its share of the limit.
"""

from collections.abc import Mapping, Sequence
from threading import Lock
from time import monotonic, time
from typing import Any, Literal, NamedTuple, TypeAlias
from uuid import UUID

import structlog
from django.http import HttpRequest
from redis import Redis
from redis.exceptions import RedisError, ResponseError

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
_OF_LOG_INS: frozenset[Scope] = frozenset({"login", "account"})
MINUTE, HOUR = 60, 3600
RATE = "marquee.rate"
"""META key: the RateLimit headers of a counted request, for refusals too."""

# A process counts locally up to a fiftieth of the limit, for a second at most; near the limit,
# and for small limits, each request goes to Redis. So each process may exceed a limit by a
# fiftieth. Asking Redis each time was a quarter of what a command costs (0.15 of 0.54 ms).
_PARTS = 50
_SYNC_SECONDS = 1.0
_MOST_KEYS = 10_000
_LOG_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class WindowCount(NamedTuple):
    """Requests of this window, including the judged one, and of the previous window."""

    current: int
    previous: int


class Throttle:
    """The limit of one counter at a moment: how many requests of ``who`` a window may have."""

    def __init__(
        self, scope: Scope, who: str, limit: int, now: float, seconds: int = MINUTE
    ) -> None:
        self.scope, self.limit, self.now, self.seconds = scope, limit, now, seconds
        self._who = who
        window, self._passed = divmod(now, seconds)
        api = "query" if scope in _OF_QUERIES else "command"
        # Counters of a log-in are counted by one script, so they share a hash tag.
        name = f"{{login}}:{scope}:{who}" if scope in _OF_LOG_INS else f"{{{scope}:{who}}}"
        counter = f"throttle:{api}:{name}"
        self.key = f"{counter}:{int(window)}"
        self.previous_key = f"{counter}:{int(window) - 1}"
        self.weight = 1 - self._passed / seconds
        """The share of the window before that still counts."""

    def enqueue(self, pipe: ReadCommands, by: int = 1) -> None:
        """Count ``by`` requests; the first and the last of three replies are the WindowCount."""
        pipe.incr(self.key, by)
        pipe.expire(self.key, 2 * self.seconds)
        pipe.get(self.previous_key)

    def share(self) -> "Throttle":
        """The part of the limit that one process may let through by itself."""
        limit = max(1, self.limit // config().server_processes)
        return Throttle(self.scope, self._who, limit, self.now, self.seconds)

    def used(self, count: WindowCount) -> int:
        """How much of the limit is used."""
        return int(count.previous * self.weight) + count.current

    def judge(self, count: WindowCount) -> dict[str, str]:
        """The RateLimit headers; raises TooMany beyond the limit."""
        used = self.used(count)
        is_over = used > self.limit and config().throttle
        reset = self.wait_seconds(count) if is_over else self.seconds - int(self._passed)
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
        taken, passed = count.current - 1, self._passed
        if taken < self.limit:  # wait until less of the previous window counts
            share = 1 - (self.limit - taken) / count.previous
            wait = share * self.seconds - passed
        else:
            share = 1 - self.limit / taken
            wait = self.seconds - passed + share * self.seconds
        return max(1, int(wait) + 1)


class _LocalCount:
    """The last count from Redis, and the requests that were not sent to it since."""

    __slots__ = ("synced", "synced_at", "unsynced")

    def __init__(self) -> None:
        self.synced = WindowCount(0, 0)
        self.synced_at = float("-inf")
        self.unsynced = 0


class LocalCounters:
    """The counts of one process, which sends them to Redis in batches; thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: dict[str, _LocalCount] = {}

    def check(self, throttle: Throttle, redis: Redis) -> dict[str, str]:
        """Count a request; the RateLimit headers. Raises TooMany beyond the limit."""
        part = throttle.limit // _PARTS
        with self._lock:
            count = self._counts.get(throttle.key) or self._new(throttle.key)
            count.unsynced += 1
            known = WindowCount(count.synced.current + count.unsynced, count.synced.previous)
            if (
                count.unsynced < part
                and throttle.used(known) + part < throttle.limit
                and monotonic() - count.synced_at < _SYNC_SECONDS
            ):
                return throttle.judge(known)
            by, count.unsynced = count.unsynced, 0
        try:
            synced = _sync(throttle, redis, by)
        except RedisError as fault:
            return judge_without_redis([throttle], fault)
        count.synced, count.synced_at = synced, monotonic()
        # Other threads may have counted meanwhile.
        return throttle.judge(WindowCount(synced.current + count.unsynced, synced.previous))

    def _new(self, key: str) -> _LocalCount:
        if len(self._counts) >= _MOST_KEYS:
            self._counts.clear()
        count = self._counts[key] = _LocalCount()
        return count


def check_in_redis(throttle: Throttle, redis: Redis) -> dict[str, str]:
    """Count a request in Redis at once; the RateLimit headers. Raises TooMany beyond the limit."""
    try:
        return throttle.judge(_sync(throttle, redis, 1))
    except RedisError as fault:
        return judge_without_redis([throttle], fault)


def _sync(throttle: Throttle, redis: Redis, by: int) -> WindowCount:
    with redis.pipeline(transaction=False) as pipe:
        throttle.enqueue(pipe, by)
        current, _, previous = pipe.execute()
    return WindowCount(current, int(previous or 0))


class _CountsWithoutRedis:
    """The counts of one process while Redis can't count; thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: dict[str, int] = {}
        self._logged_at = float("-inf")

    def count(self, throttle: Throttle) -> WindowCount:
        with self._lock:
            if len(self._counts) >= _MOST_KEYS and throttle.key not in self._counts:
                self._counts.clear()
            current = self._counts[throttle.key] = self._counts.get(throttle.key, 0) + 1
            return WindowCount(current, self._counts.get(throttle.previous_key, 0))

    def log(self, fault: RedisError) -> None:
        """Log a fault; one a second, because each request meets it."""
        if monotonic() - self._logged_at < _LOG_SECONDS:
            return
        self._logged_at = monotonic()
        _log.warning(
            "Redis can't count requests: scopes of MARQUEE_THROTTLE_CLOSED are refused, this"
            " process counts the others",
            fault=f"{type(fault).__name__}: {fault}",
        )


_without_redis = _CountsWithoutRedis()


def count_without_redis(throttle: Throttle, fault: RedisError) -> tuple[Throttle, WindowCount]:
    """Count a request of this process's share; raises Unavailable for the closed scopes."""
    _without_redis.log(fault)
    if throttle.scope in config().throttle_closed.split(","):
        raise Unavailable("Requests can't be counted at the moment. Try again in a moment.")
    share = throttle.share()
    return share, _without_redis.count(share)


def judge_without_redis(throttles: Sequence[Throttle], fault: RedisError) -> dict[str, str]:
    """Count a request so; the RateLimit headers of the counter with the least left."""
    counted = [count_without_redis(throttle, fault) for throttle in throttles]
    return least([share.judge(window) for share, window in counted])


def least(headers: Sequence[dict[str, str]]) -> dict[str, str]:
    """The RateLimit headers of the counter with the least left."""
    return min(headers, key=lambda each: int(each["RateLimit-Remaining"]))


def counted_read(
    throttle: Throttle, current: int | ResponseError, previous: bytes | None
) -> tuple[Throttle, WindowCount]:
    """The counter and the count to judge a read by, from the replies to ``enqueue``.

    Raises Unavailable for a closed scope that Redis refused to count.
    """
    if isinstance(current, ResponseError):
        return count_without_redis(throttle, current)
    return throttle, WindowCount(current, int(previous or 0))


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


def of_login(request: HttpRequest, user_id: UUID | None = None) -> Throttle:
    """Log-ins from an address, or password checks of a user, who could guess as well."""
    who = address(request.META) if user_id is None else str(user_id)
    return Throttle("login", who, config().throttle_login_per_minute, time())


def of_refresh(request: HttpRequest) -> Throttle:
    """Token refreshes from an address."""
    limit = config().throttle_refresh_per_minute
    return Throttle("refresh", address(request.META), limit, time())
