"""Rate limiter and circuit breaker for TMDb, shared by all workers through Redis.

Redis keeps one slot per request that is allowed in a second. A request takes the slot that is free
first and frees it one second after the response. TMDb counts the request somewhere in between, so
it never counts one too many per second, however slow some are. Requests are spread over the second,
and a 429 delays those of all workers. After repeated failures all workers pause, longer each time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from time import sleep
from typing import NamedTuple

import structlog
from redis import Redis
from redis.commands.core import Script
from redis.exceptions import RedisError

from command_api.catalogue.tmdb.errors import RejectedApiKey, TmdbPaused

# Share of the mean interval between two requests: below 1, so that delayed ones can catch up.
_SMOOTH = 0.5
FAILURES = 8
"""Failures of all workers in a row after which requests pause."""
_FAILURE_SECONDS = 60
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 30, 900
_REMEMBERED_SECONDS = 3600
_REFUSED_SECONDS = 86_400

_NEXT, _REST, _RESTS, _FAILURES, _REFUSED = (
    f"{{tmdb}}:{name}" for name in ("next", "rest", "rests", "failures", "refused-key")
)

# Returns 0, the wait in microseconds, the slot, and when it is free if no response comes (others
# are taken before). Or -1: the key was rejected. Or -2 and the wait: it exceeds the patience, and
# no slot was taken.
_ACQUIRE = """
if redis.call('GET', KEYS[3]) == ARGV[3] then return {-1, 0, 0, 0} end
local now = redis.call('TIME')
local at = now[1] * 1000000 + now[2]
local rest = redis.call('PTTL', KEYS[2]) * 1000
local moment = math.max(at, tonumber(redis.call('GET', KEYS[1]) or '0'), at + rest)
local slot = redis.call('ZCARD', KEYS[4])
if slot >= tonumber(ARGV[4]) then
  local first = redis.call('ZRANGE', KEYS[4], 0, 0, 'WITHSCORES')
  slot = first[1]
  moment = math.max(moment, tonumber(first[2]))
end
if moment - at > tonumber(ARGV[2]) then return {-2, moment - at, 0, 0} end
redis.call('SET', KEYS[1], string.format('%.0f', moment + ARGV[1]), 'EX', 3600)
local free = moment + 2000000
redis.call('ZADD', KEYS[4], string.format('%.0f', free), slot)
redis.call('EXPIRE', KEYS[4], 3600)
return {0, moment - at, tonumber(slot), free}
"""
_RELEASE = """
local now = redis.call('TIME')
local free = string.format('%.0f', now[1] * 1000000 + now[2] + 1000000)
local is_ours = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '0') == tonumber(ARGV[2])
if is_ours then
  redis.call('ZADD', KEYS[1], 'XX', free, ARGV[1])
else
  redis.call('ZADD', KEYS[1], 'XX', 'GT', free, ARGV[1])
end
"""
_PAUSE = """
local now = redis.call('TIME')
local moment = now[1] * 1000000 + now[2] + tonumber(ARGV[1])
if moment > tonumber(redis.call('GET', KEYS[1]) or '0') then
  redis.call('SET', KEYS[1], string.format('%.0f', moment), 'EX', math.ceil(ARGV[1] / 1e6) + 3600)
end
"""
_MICRO = 1_000_000

_log = structlog.get_logger(__name__)


@cache
def _script(redis: Redis, text: str) -> Script:
    return redis.register_script(text)


@contextmanager
def _redis_is_needed() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        raise TmdbPaused(
            f"Redis, which holds TMDb's rate limit, is unreachable: {error}"
        ) from error


class RequestSlot(NamedTuple):
    """A slot; free at ``free_at`` (microseconds) if no response comes."""

    number: int
    free_at: int


class TmdbRateLimiter:
    """Rate limiter of all workers that use one key."""

    def __init__(
        self,
        redis: Redis,
        *,
        key: str,
        per_second: int,
        patience_seconds: float,
        sleep: Callable[[float], object] = sleep,
    ) -> None:
        self._redis = redis
        self._key = sha256(key.encode()).hexdigest()[:16]
        self._per_second = per_second
        self._slots = f"{{tmdb}}:slots:{per_second}"
        self._patience = patience_seconds * _MICRO
        self._sleep = sleep
        self._is_failing = True  # other workers may have failed before

    def acquire(self) -> RequestSlot:
        """Wait for a free slot and take it.

        Raises TmdbPaused when that exceeds the patience, RejectedApiKey when TMDb refused the key.
        """
        pause = int(_SMOOTH * _MICRO / self._per_second)
        with _redis_is_needed():
            what, wait, *slot = _script(self._redis, _ACQUIRE)(
                keys=[_NEXT, _REST, _REFUSED, self._slots],
                args=[pause, int(self._patience), self._key, self._per_second],
            )
        if what == -1:
            raise RejectedApiKey
        seconds = wait / _MICRO
        if what < 0:
            raise TmdbPaused(f"Requests to TMDb are paused for {seconds:.0f} s", seconds=seconds)
        self._sleep(seconds)
        return RequestSlot(*slot)

    def release(self, slot: RequestSlot) -> None:
        """Free the slot one second from now, whatever the outcome."""
        with _redis_is_needed():
            _script(self._redis, _RELEASE)(keys=[self._slots], args=[*slot])

    def pause(self, seconds: float) -> None:
        """Delay the requests of all workers, as TMDb's Retry-After asks."""
        with _redis_is_needed():
            _script(self._redis, _PAUSE)(keys=[_NEXT], args=[int(seconds * _MICRO)])

    def record_success(self) -> None:
        if self._is_failing:
            with _redis_is_needed():
                self._redis.delete(_FAILURES, _RESTS)
            self._is_failing = False

    def record_failure(self) -> None:
        """Count a failure; too many in a row open the circuit breaker."""
        self._is_failing = True
        with _redis_is_needed():
            with self._redis.pipeline() as pipe:
                pipe.incr(_FAILURES)
                pipe.expire(_FAILURES, _FAILURE_SECONDS)
                failures, _ = pipe.execute()
            if failures >= FAILURES:
                self._open_circuit()

    def record_rejected_key(self) -> None:
        """Stop requests with this key; logged once."""
        with _redis_is_needed():
            before = self._redis.set(_REFUSED, self._key, ex=_REFUSED_SECONDS, get=True)
        if before != self._key.encode():
            _log.error("TMDb rejected the key", settings="MARQUEE_TMDB_TOKEN, MARQUEE_TMDB_KEY")

    def reset(self) -> None:
        """Forget failures, pauses and the rejected key."""
        with _redis_is_needed():
            self._redis.delete(_NEXT, _REFUSED, _REST, _RESTS, _FAILURES)

    def _open_circuit(self) -> None:
        if not self._redis.set(_REST, 1, ex=FIRST_PAUSE_SECONDS, nx=True):
            return  # another worker opened it at the same moment
        with self._redis.pipeline() as pipe:
            pipe.delete(_FAILURES)
            pipe.incr(_RESTS)
            pipe.expire(_RESTS, _REMEMBERED_SECONDS)
            _, rests, _ = pipe.execute()
        seconds = min(FIRST_PAUSE_SECONDS * 2 ** (rests - 1), LONGEST_PAUSE_SECONDS)
        self._redis.expire(_REST, seconds)
        _log.warning("TMDb requests paused after repeated failures", seconds=seconds)
