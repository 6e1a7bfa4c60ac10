"""Shard of a read model: moves data and checkpoint in one atomic step.

All keys of a shard share one Redis hash tag, so that one Lua call can compare the checkpoint, write
the data and move the checkpoint, on a single node or in a cluster. There are four kinds of keys:
``state`` (what events add up to; ``verify`` compares it), ``derived`` (built from the state; may be
lost; the builder's dirty marks belong here too), ``parked`` (see ``projectors.parking.store``), and
the checkpoints.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TypeAlias

import msgspec
from redis import Redis
from redis.commands.core import Script

from projectors.storage import replies

Write: TypeAlias = tuple[str | int, ...]
"""A Redis command: name, key of this shard, arguments. ``verification.fold`` must know it."""

# Redis keeps a script's writes even when a later command fails. So no command may fail: all are
# plain writes made by our own code, on keys of one type each.
_APPLY = """
local at = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
if at ~= tonumber(ARGV[2]) - 1 then return at end
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[4] then return -2 end
for _, stream in ipairs(cmsgpack.unpack(ARGV[5])) do
  if redis.call('SISMEMBER', KEYS[3], stream) == 0 then return -2 end
end
for _, stream in ipairs(cmsgpack.unpack(ARGV[6])) do
  if redis.call('SISMEMBER', KEYS[3], stream) == 1 then return -2 end
end
for nth = 7, #ARGV do
  for _, write in ipairs(cmsgpack.unpack(ARGV[nth])) do redis.call(unpack(write)) end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return -3
"""
# For parked events. The checkpoint has passed them, so the script checks that they are still
# parked. Derived data is outdated then, so its offset is moved back. Builders of other models that
# read this shard see no change of offsets; they watch the counter ``late``.
_UNPARK = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return -2 end
local offsets = cmsgpack.unpack(ARGV[5])
for _, offset in ipairs(offsets) do
  if redis.call('HEXISTS', KEYS[2], offset) == 0 then return -2 end
end
for nth = 6, #ARGV do
  for _, write in ipairs(cmsgpack.unpack(ARGV[nth])) do redis.call(unpack(write)) end
end
for _, offset in ipairs(offsets) do redis.call('HDEL', KEYS[2], offset) end
if redis.call('EXISTS', KEYS[2]) == 0 then redis.call('SREM', KEYS[3], ARGV[2]) end
local built, behind = tonumber(redis.call('HGET', KEYS[4], ARGV[3]) or ''), tonumber(ARGV[4])
if built and behind and built > behind then redis.call('HSET', KEYS[4], ARGV[3], behind) end
if behind then redis.call('HINCRBY', KEYS[5], 'late', 1) end
return -3
"""
_OVERWRITE = """
for nth = 1, #ARGV do
  for _, write in ipairs(cmsgpack.unpack(ARGV[nth])) do redis.call(unpack(write)) end
end
return -3
"""
_PARKED_STREAMS_CHANGED = -2
_DONE = -3

# Redis passes a script's command its arguments on Lua's stack, which holds some thousands.
_FIELDS_AT_ONCE = 500

_packer = msgspec.msgpack.Encoder()


class CheckpointMismatch(Exception):
    """The batch does not begin at the event after the checkpoint, which is at ``at``."""

    def __init__(self, at: int) -> None:
        super().__init__(f"the checkpoint is at {at}")
        self.at = at


class ParkedStreamsChanged(Exception):
    """A stream was parked or retried meanwhile: read the parked streams and decide again."""


def pack(writes: Iterable[Write]) -> bytes:
    """Encode writes for a shard's scripts; b"" if there are none."""
    commands = list(writes)
    return _packer.encode(commands) if commands else b""


@cache
def script(redis: Redis, text: str) -> Script:
    """A Lua script, loaded once for each client."""
    return redis.register_script(text)


class Shard:
    """The keys of one shard of one generation of a model."""

    def __init__(self, redis: Redis, *, model: str, generation: int, name: str) -> None:
        self._redis = redis
        self.tag = f"{{{model}.{generation}.{name}}}"
        self.checkpoints_key = f"{self.tag}:checkpoints"
        self.revision_key = self.parked("revision")
        """Holds a random token, replaced whenever one more stream is parked."""
        self.parked_streams_key = self.parked("streams")
        """Set of the streams that are parked."""
        self.built_key = self.derived("built")
        """Hash of partition -> offset that derived data is built up to."""
        self.changes_key = self.derived("changes")
        """Hash of counters by kind of change, for builders of other models that read this shard."""

    def state(self, *parts: str | int) -> str:
        return ":".join((self.tag, "state", *map(str, parts)))

    def derived(self, *parts: str | int) -> str:
        return ":".join((self.tag, "derived", *map(str, parts)))

    def parked(self, *parts: str) -> str:
        """The key of something about parked events: see ``projectors.parking.store``."""
        return ":".join((self.tag, "parked", *parts))

    def checkpoints(self) -> dict[int, int]:
        """The last offset applied of each partition that has any."""
        return read_offsets(replies.hgetall(self._redis, self.checkpoints_key))

    def apply(
        self,
        partition: int,
        *,
        first: int,
        last: int,
        packed: Iterable[bytes],
        revision: str = "",
        still_parked: Sequence[str] = (),
        not_parked: Sequence[str] = (),
    ) -> bool:
        """Apply events ``first``..``last`` of a partition, or none of them.

        The ``packed`` writes are right for the streams parked at this ``revision``, if those named
        are ``still_parked`` or ``not_parked``. Returns False if exactly these events were applied
        before. Raises CheckpointMismatch or ParkedStreamsChanged.
        """
        streams = (_packer.encode(still_parked), _packer.encode(not_parked))
        at = script(self._redis, _APPLY)(
            keys=[
                self.checkpoints_key,
                self.revision_key,
                self.parked_streams_key,
            ],
            args=[partition, first, last, revision, *streams, *filter(None, packed)],
        )
        if at == _PARKED_STREAMS_CHANGED:
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
        """Remove the first parked events of a stream and do the ``packed`` writes, or nothing.

        A stream without parked events is parked no more. ``is_applied``: the writes change the
        state, so derived data is behind. Raises ParkedStreamsChanged.
        """
        keys = [
            self.parked("stream", stream),
            self.parked_streams_key,
            self.built_key,
            self.changes_key,
        ]
        arguments = [_packer.encode([str(offset) for offset in offsets]), *filter(None, packed)]
        behind = min(offsets) - 1 if is_applied else ""
        at = script(self._redis, _UNPARK)(
            keys=[self.revision_key, *keys],
            args=[revision, stream, partition, behind, *arguments],
        )
        if at == _PARKED_STREAMS_CHANGED:
            raise ParkedStreamsChanged

    def overwrite(self, packed: Iterable[bytes]) -> None:
        """Do writes that are right at any checkpoint, which stays."""
        # The key is there for a cluster, which sends the script to the shard's node by it.
        script(self._redis, _OVERWRITE)(
            keys=[self.checkpoints_key], args=list(filter(None, packed))
        )

    def state_keys(self) -> list[bytes]:
        """The keys of all its state."""
        pattern = self.tag.replace("[", "\\[") + ":state:*"
        return sorted(self._redis.scan_iter(match=pattern, count=1000))


def read_offsets(stored: Mapping[bytes, bytes]) -> dict[int, int]:
    """Decode a hash of partition -> offset."""
    return {int(partition): int(offset) for partition, offset in stored.items()}


def hash_writes(
    key: str, values: Mapping[int, str | None] | Mapping[str, str | None]
) -> Iterator[Write]:
    """The commands that set the fields of a hash and delete those whose value is None."""
    changed: list[str | int] = []
    deleted: list[str | int] = []
    for field, value in values.items():
        if value is None:
            deleted.append(field)
        else:
            changed += (field, value)
    for at in range(0, len(changed), _FIELDS_AT_ONCE):
        yield ("HSET", key, *changed[at : at + _FIELDS_AT_ONCE])
    for at in range(0, len(deleted), _FIELDS_AT_ONCE):
        yield ("HDEL", key, *deleted[at : at + _FIELDS_AT_ONCE])
