"""What was touched since this builder last looked, and how far had the state come then?

Both are read in one step, before the state: what is built from it holds at least that much. Taking
removes the marks, so a builder whose work failed, one that has just started, one that finds another
at work, and one whose marks were lost must read everything: ``is_continued`` is False for them.
"""

from collections.abc import Mapping
from functools import cache
from secrets import token_hex
from typing import NamedTuple

from redis import Redis
from redis.commands.core import Script

from projectors.shard import Shard

_TAKE = """
local is_continued = redis.call('GET', KEYS[1]) == ARGV[1]
redis.call('SET', KEYS[1], ARGV[1])
local touched = {}
for nth = 3, #KEYS do
  touched[nth - 2] = redis.call('SMEMBERS', KEYS[nth])
  redis.call('DEL', KEYS[nth])
end
return {is_continued and 1 or 0, redis.call('HGETALL', KEYS[2]), touched}
"""


@cache
def _script(redis: Redis) -> Script:
    return redis.register_script(_TAKE)


def note_built(pipe: Redis, shard: Shard, offsets: Mapping[int, int]) -> None:
    """Say how much of a shard's state its derived data has taken in."""
    if offsets:
        pipe.hset(shard.built_key, items=[part for pair in offsets.items() for part in pair])


class Taken(NamedTuple):
    """What a builder found."""

    is_continued: bool
    checkpoints: dict[int, int]
    touched: list[frozenset[int]]
    """A set of numbers for each name, in order."""


class Marks:
    """One builder's way to the marks of one shard."""

    def __init__(self, redis: Redis, shard: Shard, *names: str) -> None:
        self._redis = redis
        self._keys = [
            shard.derived("looker"),
            shard.checkpoints_key,
            *(shard.derived("dirty", name) for name in names),
        ]
        self._looker = ""
        self.forget()

    def forget(self) -> None:
        """Read everything next time."""
        self._looker = token_hex(8)

    def take(self) -> Taken:
        """Take all marks."""
        is_continued, checkpoints, touched = _script(self._redis)(
            keys=self._keys, args=[self._looker]
        )
        pairs = iter(checkpoints)
        return Taken(
            is_continued=bool(is_continued),
            checkpoints={
                int(partition): int(offset) for partition, offset in zip(pairs, pairs, strict=True)
            },
            touched=[frozenset(map(int, members)) for members in touched],
        )
