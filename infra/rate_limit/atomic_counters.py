"""Atomic rate limits: a request counts on several counters in one script, or on none.

The script reads all counters first; then either all count the request or none does. So a refused
request uses up nothing, neither of another counter nor of its own.
"""

from collections.abc import Sequence
from typing import NamedTuple

from redis import Redis
from redis.exceptions import RedisError

from infra.config import config
from infra.rate_limit.sliding_window import Throttle, WindowCount, judge_without_redis, least

# KEYS: for each counter the counts of this window and of the one before; then the key of the mark.
# ARGV: for each counter its limit, the weight of the window before, and the seconds that a count is
# kept; then the member of the mark, and now. The mark is optional.
# With a mark the first counter is for clients that have it, and the others are for the rest.
_ADMIT = """
local first, last = 1, math.floor(#KEYS / 2)
if #KEYS % 2 == 1 then
  local marked_until = tonumber(redis.call('ZSCORE', KEYS[#KEYS], ARGV[#ARGV - 1]) or 0)
  if marked_until > tonumber(ARGV[#ARGV]) then last = 1 else first = 2 end
end
local counts, is_over = {first}, false
for nth = first, last do
  local current = tonumber(redis.call('GET', KEYS[2 * nth - 1]) or 0) + 1
  local previous = tonumber(redis.call('GET', KEYS[2 * nth]) or 0)
  local weight = tonumber(ARGV[3 * nth - 1])
  is_over = is_over or math.floor(previous * weight) + current > tonumber(ARGV[3 * nth - 2])
  counts[#counts + 1], counts[#counts + 2] = current, previous
end
if not is_over then
  for nth = first, last do
    redis.call('INCR', KEYS[2 * nth - 1])
    redis.call('EXPIRE', KEYS[2 * nth - 1], ARGV[3 * nth])
  end
end
return counts
"""


class TrustMark(NamedTuple):
    """Marks a trusted client: a member of a sorted set, whose score is when the trust ends."""

    key: str
    member: str


def admit(
    throttles: Sequence[Throttle], redis: Redis, *, mark: TrustMark | None = None
) -> dict[str, str]:
    """Count a request; the RateLimit headers of the counter with the least left.

    With ``mark`` the first counter is for clients that have it, the others are for the rest.
    Raises TooMany when a counter is full, Unavailable for closed scopes without Redis.
    """
    if not config().throttle:
        return {}
    keys = [key for throttle in throttles for key in (throttle.key, throttle.previous_key)]
    arguments: list[str | float] = [
        argument
        for throttle in throttles
        for argument in (throttle.limit, throttle.weight, 2 * throttle.seconds)
    ]
    if mark is not None:
        keys.append(mark.key)
        arguments += [mark.member, throttles[0].now]
    try:
        # EVAL, not EVALSHA: Redis may forget a script, and that would cost a second round trip.
        first, *counts = redis.eval(_ADMIT, len(keys), *keys, *arguments)
    except RedisError as fault:
        return judge_without_redis(throttles if mark is None else throttles[1:], fault)
    windows = [WindowCount(*pair) for pair in zip(counts[::2], counts[1::2], strict=True)]
    counted = throttles[first - 1 : first - 1 + len(windows)]
    headers = [throttle.judge(count) for throttle, count in zip(counted, windows, strict=True)]
    return least(headers)
