"""How do a shard's data and its checkpoints move together?

A shard is the unit of atomicity: all its keys share one Redis hash tag, so that one Lua call can
compare the checkpoint, write the data and move the checkpoint, on a single node or in a cluster.
Four kinds of keys: ``state`` (what events add up to; compared by ``verify``), ``derived`` (made
from state by a builder; may be lost; marks of what is still to build belong here too), ``parked``
(what was set aside: see ``projectors.parking.store``), and the shard's own (checkpoints, hold).
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TypeAlias

import msgspec
from redis import Redis
from redis.commands.core import Script

from projectors.storage import replies

Write: TypeAlias = tuple[str | int, ...]
"""A Redis command: name, key of this shard, arguments. Only commands that ``fold`` knows."""

# Redis keeps a script's writes even when a later one fails, so nothing in here may: the writes are
# plain commands on keys of one type each, made by our own code.
_APPLY = """
if redis.call('EXISTS', KEYS[2]) == 1 then return -1 end
local at = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
if at ~= tonumber(ARGV[2]) - 1 then return at end
if (redis.call('GET', KEYS[3]) or '') ~= ARGV[4] then return -2 end
for _, stream in ipairs(cmsgpack.unpack(ARGV[5])) do
  if redis.call('SISMEMBER', KEYS[4], stream) == 0 then return -2 end
end
for _, stream in ipairs(cmsgpack.unpack(ARGV[6])) do
  if redis.call('SISMEMBER', KEYS[4], stream) == 1 then return -2 end
end
for nth = 7, #ARGV do
  for _, write in ipairs(cmsgpack.unpack(ARGV[nth])) do redis.call(unpack(write)) end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return -3
"""
# For events that were parked, so the checkpoint has passed them: here it is compared that they
# still are. Derived data that was level with the checkpoint is not so any more; who builds of this
# shard beside its own sees it by the count, for the offsets it compares do not tell.
_UNPARK = """
if redis.call('EXISTS', KEYS[1]) == 1 then return -1 end
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[1] then return -2 end
local offsets = cmsgpack.unpack(ARGV[5])
for _, offset in ipairs(offsets) do
  if redis.call('HEXISTS', KEYS[3], offset) == 0 then return -2 end
end
for nth = 6, #ARGV do
  for _, write in ipairs(cmsgpack.unpack(ARGV[nth])) do redis.call(unpack(write)) end
end
for _, offset in ipairs(offsets) do redis.call('HDEL', KEYS[3], offset) end
if redis.call('EXISTS', KEYS[3]) == 0 then redis.call('SREM', KEYS[4], ARGV[2]) end
local built, behind = tonumber(redis.call('HGET', KEYS[5], ARGV[3]) or ''), tonumber(ARGV[4])
if built and behind and built > behind then redis.call('HSET', KEYS[5], ARGV[3], behind) end
if behind then redis.call('HINCRBY', KEYS[6], 'late', 1) end
return -3
"""
_OVERWRITE = """
if redis.call('EXISTS', KEYS[1]) == 1 then return -1 end
for nth = 1, #ARGV do
  for _, write in ipairs(cmsgpack.unpack(ARGV[nth])) do redis.call(unpack(write)) end
end
return -3
"""
_HELD = -1
_REVISED = -2
_DONE = -3

_packer = msgspec.msgpack.Encoder()


class CheckpointMismatch(Exception):
    """The batch does not begin right behind the checkpoint, which is at ``at``."""

    def __init__(self, at: int) -> None:
        super().__init__(f"the checkpoint is at {at}")
        self.at = at


class ShardPaused(Exception):
    """Someone holds the shard still to compare it; try again in a moment."""


class ParkedStreamsChanged(Exception):
    """Meanwhile another stream was parked, or this one is so no more: look and decide again."""


def pack(writes: Iterable[Write]) -> bytes:
    """Some writes as a shard takes them; nothing at all if there are none."""
    found = list(writes)
    return _packer.encode(found) if found else b""


@cache
def _script(redis: Redis, text: str) -> Script:
    return redis.register_script(text)


class Shard:
    """The keys of one shard of one generation of a model."""

    def __init__(self, redis: Redis, *, model: str, generation: int, name: str) -> None:
        self._redis = redis
        self.tag = f"{{{model}.{generation}.{name}}}"
        self.checkpoints_key = f"{self.tag}:checkpoints"
        self._pause_key = f"{self.tag}:hold"

    def state(self, *parts: str | int) -> str:
        """The key of a piece of state."""
        return ":".join((self.tag, "state", *map(str, parts)))

    def derived(self, *parts: str | int) -> str:
        """The key of a piece of derived data."""
        return ":".join((self.tag, "derived", *map(str, parts)))

    def parked(self, *parts: str) -> str:
        """The key of something about what was set aside: see ``projectors.parking.store``."""
        return ":".join((self.tag, "parked", *parts))

    @property
    def revision_key(self) -> str:
        """A word that is another one whenever one more stream was parked."""
        return self.parked("revision")

    @property
    def parked_key(self) -> str:
        """The set of the streams that are parked."""
        return self.parked("streams")

    @property
    def built_key(self) -> str:
        """Hash of partition -> offset up to which derived data has taken the state in."""
        return self.derived("built")

    @property
    def changes_key(self) -> str:
        """Hash of counts that grow when what others build of changes, by what it was."""
        return self.derived("changes")

    def checkpoints(self) -> dict[int, int]:
        """The offset taken in of each partition that has any."""
        return read_offsets(replies.hgetall(self._redis, self.checkpoints_key))

    def apply(
        self,
        partition: int,
        *,
        first: int,
        last: int,
        packed: Iterable[bytes],
        revision: str = "",
        behind: Sequence[str] = (),
        ahead: Sequence[str] = (),
    ) -> bool:
        """Take in events ``first``..``last`` of a partition, or none.

        ``packed`` writes are made of them knowing what was parked at that ``revision``, and put
        some ``behind`` what is parked of these streams; of those that go ``ahead`` nothing may be.
        Answers whether it did: not when just that was done before. Raises CheckpointMismatch,
        ShardPaused or ParkedStreamsChanged.
        """
        streams = (_packer.encode(behind), _packer.encode(ahead))
        at = _script(self._redis, _APPLY)(
            keys=[self.checkpoints_key, self._pause_key, self.revision_key, self.parked_key],
            args=[partition, first, last, revision, *streams, *filter(None, packed)],
        )
        if at == _HELD:
            raise ShardPaused
        if at == _REVISED:
            raise ParkedStreamsChanged
        if at not in (_DONE, last):
            raise CheckpointMismatch(at)
        return bool(at == _DONE)

    def unpark(
        self,
        partition: int,
        *,
        stream: str,
        offsets: Sequence[int],
        packed: Iterable[bytes],
        revision: str,
        is_applied: bool,
    ) -> None:
        """Write what the first parked events of a stream lead to, and drop them, or nothing.

        When they were all there are, the stream is parked no more. ``is_applied``: the state is
        another one then, and what was built of it is behind. Raises ShardPaused or
        ParkedStreamsChanged.
        """
        keys = [self.parked("stream", stream), self.parked_key, self.built_key, self.changes_key]
        there = [_packer.encode([str(offset) for offset in offsets]), *filter(None, packed)]
        behind = min(offsets) - 1 if is_applied else ""
        at = _script(self._redis, _UNPARK)(
            keys=[self._pause_key, self.revision_key, *keys],
            args=[revision, stream, partition, behind, *there],
        )
        if at == _HELD:
            raise ShardPaused
        if at == _REVISED:
            raise ParkedStreamsChanged

    def overwrite(self, packed: Iterable[bytes]) -> None:
        """Write what holds whatever was taken in; no checkpoint moves. Raises ShardPaused."""
        args = list(filter(None, packed))
        if _script(self._redis, _OVERWRITE)(keys=[self._pause_key], args=args) == _HELD:
            raise ShardPaused

    def pause(self, seconds: int) -> None:
        """Take nothing in for so long, or until released."""
        self._redis.set(self._pause_key, 1, ex=seconds)

    def resume(self) -> None:
        """End a hold."""
        self._redis.delete(self._pause_key)

    def state_keys(self) -> list[bytes]:
        """The keys of all its state."""
        pattern = self.tag.replace("[", "\\[") + ":state:*"
        return sorted(self._redis.scan_iter(match=pattern, count=1000))


def read_offsets(stored: Mapping[bytes, bytes]) -> dict[int, int]:
    """Partition -> offset out of a checkpoints hash."""
    return {int(partition): int(offset) for partition, offset in stored.items()}
