"""How does a request count on its counters, in one step, however many count at once?

One script, one trip: first all counters are looked at, then either all count the request or none
does. So what is refused uses up nothing: not the rest of another counter, and not the future of
who is refused.
"""

from collections.abc import Sequence
from typing import NamedTuple

import structlog
from redis import Redis
from redis.exceptions import RedisError

from infra.config import config
from infra.errors import Unavailable
from infra.rate_limit.sliding_window import Throttle, WindowCount

# KEYS: of each counter this window's count and that of the one before; after them maybe marks.
# ARGV: of each counter its limit, the weight of the window before, and how long a count is kept;
# after them maybe whose mark is looked for, and the time until which marks are over.
# With a mark the first counter is for those who have it, and the others are for those who don't.
_ADMIT = """
local first, last = 1, math.floor(#KEYS / 2)
if #KEYS % 2 == 1 then
  local marked_until = tonumber(redis.call('ZSCORE', KEYS[#KEYS], ARGV[#ARGV - 1]) or 0)
  if marked_until > tonumber(ARGV[#ARGV]) then last = 1 else first = 2 end
end
local found, is_over = {first}, false
for nth = first, last do
  local current = tonumber(redis.call('GET', KEYS[2 * nth - 1]) or 0) + 1
  local previous = tonumber(redis.call('GET', KEYS[2 * nth]) or 0)
  local weight = tonumber(ARGV[3 * nth - 1])
  is_over = is_over or math.floor(previous * weight) + current > tonumber(ARGV[3 * nth - 2])
  found[#found + 1], found[#found + 2] = current, previous
end
if not is_over then
  for nth = first, last do
    redis.call('INCR', KEYS[2 * nth - 1])
    redis.call('EXPIRE', KEYS[2 * nth - 1], ARGV[3 * nth])
  end
end
return found
"""

_log = structlog.get_logger(__name__)


class TrustMark(NamedTuple):
    """What sets somebody apart, until a time: a member of a sorted set, and that time its score."""

    key: str
    who: str


def admit(
    throttles: Sequence[Throttle], redis: Redis, *, mark: TrustMark | None = None
) -> dict[str, str]:
    """The RateLimit headers of the counter with the least left; raises TooMany when one is full.

    With ``mark`` the first counter is for those who have it, the others are for the rest.
    """
    if not config().throttle:
        return {}
    keys = [key for throttle in throttles for key in (throttle.key, throttle.previous_key)]
    told: list[str | float] = [
        word
        for throttle in throttles
        for word in (throttle.limit, throttle.weight, 2 * throttle.seconds)
    ]
    if mark is not None:
        keys.append(mark.key)
        told += [mark.who, throttles[0].now]
    try:
        # With its text: a script's digest may be forgotten, and would need a second trip then.
        first, *counts = redis.eval(_ADMIT, len(keys), *keys, *told)
    except RedisError as fault:
        away(throttles, fault)
        return {}
    found = [WindowCount(*pair) for pair in zip(counts[::2], counts[1::2], strict=True)]
    counted = throttles[first - 1 : first - 1 + len(found)]
    return least([throttle.judge(seen) for throttle, seen in zip(counted, found, strict=True)])


def least(headers: Sequence[dict[str, str]]) -> dict[str, str]:
    """Those of the counter that will be full first."""
    return min(headers, key=lambda each: int(each["RateLimit-Remaining"]))


def away(throttles: Sequence[Throttle], fault: RedisError) -> None:
    """Redis can't count: let through, or raise Unavailable where that would invite guessing."""
    _log.warning("throttle away", fault=repr(fault))
    closed = config().throttle_closed.split(",")
    if any(throttle.scope in closed for throttle in throttles):
        raise Unavailable("Nobody can count how often this is tried. Try again in a moment.")
