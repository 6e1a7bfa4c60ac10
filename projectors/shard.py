"""How do a shard's data and its checkpoints move together?

A shard is the unit of atomicity: all its keys share one Redis hash tag, so that one Lua call can
compare the checkpoint, write the data and move the checkpoint, on a single node or in a cluster.
Three kinds of keys: ``state`` (what events add up to; compared by ``verify``), ``derived`` (made
from state by a builder; may be lost; marks of what is still to build belong here too), and the
shard's own (checkpoints, hold).
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TypeAlias

import msgspec
from redis import Redis
from redis.commands.core import Script

from projectors import answers

Write: TypeAlias = tuple[str | int, ...]
"""A Redis command: name, key of this shard, arguments. Only commands that ``fold`` knows."""

# Redis keeps a script's writes even when a later one fails, so nothing in here may: the writes are
# plain commands on keys of one type each, made by our own code.
_APPLY = """
if redis.call('EXISTS', KEYS[2]) == 1 then return -1 end
local at = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
if at ~= tonumber(ARGV[2]) - 1 then return at end
for _, write in ipairs(cmsgpack.unpack(ARGV[4])) do redis.call(unpack(write)) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return tonumber(ARGV[3])
"""
_HELD = -1

_packer = msgspec.msgpack.Encoder()


class OutOfStep(Exception):
    """The batch does not begin right behind the checkpoint, which is at ``at``."""

    def __init__(self, at: int) -> None:
        super().__init__(f"the checkpoint is at {at}")
        self.at = at


class Held(Exception):
    """Someone holds the shard still to compare it; try again in a moment."""


@cache
def _script(redis: Redis) -> Script:
    return redis.register_script(_APPLY)


class Shard:
    """The keys of one shard of one generation of a model."""

    def __init__(self, redis: Redis, *, model: str, generation: int, name: str) -> None:
        self._redis = redis
        self.tag = f"{{{model}.{generation}.{name}}}"
        self.checkpoints_key = f"{self.tag}:checkpoints"
        self._hold_key = f"{self.tag}:hold"

    def state(self, *parts: str | int) -> str:
        """The key of a piece of state."""
        return ":".join((self.tag, "state", *map(str, parts)))

    def derived(self, *parts: str | int) -> str:
        """The key of a piece of derived data."""
        return ":".join((self.tag, "derived", *map(str, parts)))

    @property
    def built_key(self) -> str:
        """Hash of partition -> offset up to which derived data has taken the state in."""
        return self.derived("built")

    def checkpoints(self) -> dict[int, int]:
        """The offset taken in of each partition that has any."""
        return read_offsets(answers.hgetall(self._redis, self.checkpoints_key))

    def apply(self, partition: int, *, first: int, last: int, writes: Iterable[Write]) -> None:
        """Take in events ``first``..``last`` of a partition, or none: raises OutOfStep or Held."""
        at = _script(self._redis)(
            keys=[self.checkpoints_key, self._hold_key],
            args=[partition, first, last, _packer.encode(list(writes))],
        )
        if at == _HELD:
            raise Held
        if at != last:
            raise OutOfStep(at)

    def hold(self, seconds: int) -> None:
        """Take nothing in for so long, or until released."""
        self._redis.set(self._hold_key, 1, ex=seconds)

    def release(self) -> None:
        """End a hold."""
        self._redis.delete(self._hold_key)

    def state_keys(self) -> list[bytes]:
        """The keys of all its state."""
        pattern = self.tag.replace("[", "\\[") + ":state:*"
        return sorted(self._redis.scan_iter(match=pattern, count=1000))


def read_offsets(stored: Mapping[bytes, bytes]) -> dict[int, int]:
    """Partition -> offset out of a checkpoints hash."""
    return {int(partition): int(offset) for partition, offset in stored.items()}
