"""When may TMDb be asked again, by all workers together?

Redis keeps as many slots as questions may be asked in a second. A question takes the one that is
free first, and leaves it free a second after its answer: TMDb counts it somewhere in between, so
that however slow some are, it never counts one too many in a second. Questions take turns, too, so
that they don't come all at once, and a 429 moves everybody's. When TMDb fails again and again
nobody asks for a while, longer each time.
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

# Of the mean time between two questions: who was held up can make up for it.
_SMOOTH = 0.5
FAILURES = 8
"""So many in a row, of all workers, and TMDb is left alone for a while."""
_ROW_SECONDS = 60
FIRST_REST_SECONDS, LONGEST_REST_SECONDS = 30, 900
_REMEMBERED_SECONDS = 3600
_REFUSED_SECONDS = 86_400

_NEXT, _REST, _RESTS, _FAILURES, _REFUSED = (
    f"tmdb:{name}" for name in ("next", "rest", "rests", "failures", "refused-key")
)

# How long to wait for the moment that was taken, in microseconds, the slot, and when it is free if
# no answer comes, so that others are taken before; -1: the key was refused; -2 and a time: it would
# be longer than one has patience, and nothing was taken.
_TAKE = """
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
_ANSWERED = """
local now = redis.call('TIME')
local free = string.format('%.0f', now[1] * 1000000 + now[2] + 1000000)
local is_ours = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '0') == tonumber(ARGV[2])
if is_ours then
  redis.call('ZADD', KEYS[1], 'XX', free, ARGV[1])
else
  redis.call('ZADD', KEYS[1], 'XX', 'GT', free, ARGV[1])
end
"""
_DELAY = """
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
        raise TmdbPaused(f"Redis, which says when to ask, is away: {error}") from error


class Slot(NamedTuple):
    """One of as many questions as there may be in a second; free then if no answer comes."""

    number: int
    free_at: int


class TmdbRateLimiter:
    """The turn-taking of everybody who asks with one key."""

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
        self._slots = f"tmdb:slots:{per_second}"
        self._patience = patience_seconds * _MICRO
        self._sleep = sleep
        self._is_failing = True  # others may have failed before

    def take(self) -> Slot:
        """Wait for a free slot and take it.

        Raises TmdbPaused when that exceeds the patience, RejectedApiKey when TMDb refused the key.
        """
        pause = int(_SMOOTH * _MICRO / self._per_second)
        with _redis_is_needed():
            what, wait, *slot = _script(self._redis, _TAKE)(
                keys=[_NEXT, _REST, _REFUSED, self._slots],
                args=[pause, int(self._patience), self._key, self._per_second],
            )
        if what == -1:
            raise RejectedApiKey
        seconds = wait / _MICRO
        if what < 0:
            raise TmdbPaused(f"TMDb is left alone for {seconds:.0f} s", seconds=seconds)
        self._sleep(seconds)
        return Slot(*slot)

    def answered(self, slot: Slot) -> None:
        """The question is over, whatever became of it: a second from now another may be asked."""
        with _redis_is_needed():
            _script(self._redis, _ANSWERED)(keys=[self._slots], args=[*slot])

    def delay(self, seconds: float) -> None:
        """Nobody asks for so long: TMDb said so."""
        with _redis_is_needed():
            _script(self._redis, _DELAY)(keys=[_NEXT], args=[int(seconds * _MICRO)])

    def succeeded(self) -> None:
        """It answered; failures before that count no more."""
        if self._is_failing:
            with _redis_is_needed():
                self._redis.delete(_FAILURES, _RESTS)
            self._is_failing = False

    def failed(self) -> None:
        """It did not answer as it should; after too many of these it is left alone."""
        self._is_failing = True
        with _redis_is_needed():
            with self._redis.pipeline() as pipe:
                pipe.incr(_FAILURES)
                pipe.expire(_FAILURES, _ROW_SECONDS)
                failures, _ = pipe.execute()
            if failures >= FAILURES:
                self._rest()

    def refused(self) -> None:
        """The key is wrong: said once, and not asked again with it."""
        with _redis_is_needed():
            before = self._redis.set(_REFUSED, self._key, ex=_REFUSED_SECONDS, get=True)
        if before != self._key.encode():
            _log.error("tmdb refuses the key", settings="MARQUEE_TMDB_TOKEN, MARQUEE_TMDB_KEY")

    def reset(self) -> None:
        """Ask again, whatever was the matter: somebody wants to know."""
        with _redis_is_needed():
            self._redis.delete(_NEXT, _REFUSED, _REST, _RESTS, _FAILURES)

    def _rest(self) -> None:
        if not self._redis.set(_REST, 1, ex=FIRST_REST_SECONDS, nx=True):
            return  # others failed in the same moment
        with self._redis.pipeline() as pipe:
            pipe.delete(_FAILURES)
            pipe.incr(_RESTS)
            pipe.expire(_RESTS, _REMEMBERED_SECONDS)
            _, rests, _ = pipe.execute()
        seconds = min(FIRST_REST_SECONDS * 2 ** (rests - 1), LONGEST_REST_SECONDS)
        self._redis.expire(_REST, seconds)
        _log.warning("tmdb is left alone", seconds=seconds)
