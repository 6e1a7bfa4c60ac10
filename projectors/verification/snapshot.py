"""Atomic snapshots of a shard: some of its keys with the checkpoints that they belong to.

One Lua call reads both, so they fit together while the projector keeps running.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from redis import Redis

from projectors.parking.store import UnappliedEvents, decode_unapplied_events, unapplied_keys
from projectors.storage import replies
from projectors.storage.shard import Shard, read_offsets, script
from projectors.verification.fold import Hash, RedisSet, SortedSet, Value

_KEYS_AT_ONCE = 500
"""So many keys of a library take Redis some milliseconds."""

_READ = """
local values = {}
for nth = 4, #KEYS do
  local key, value = KEYS[nth], false
  local kind = redis.call('TYPE', key).ok
  if kind == 'string' then value = redis.call('GET', key) end
  if kind == 'hash' then value = redis.call('HGETALL', key) end
  if kind == 'set' then value = redis.call('SMEMBERS', key) end
  if kind == 'zset' then value = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES') end
  values[nth - 3] = {kind, value}
end
return {redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2]),
        redis.call('HKEYS', KEYS[3]), values}
"""


class ShardSnapshot(NamedTuple):
    """Some keys of a shard, its checkpoints, and the parked and skipped events before them."""

    checkpoints: Mapping[int, int]
    unapplied: UnappliedEvents
    state: Mapping[str, Value]


def read(redis: Redis, shard: Shard, keys: Iterable[str] | None = None) -> ShardSnapshot:
    """A snapshot of ``keys``, by default of all state; a key that does not exist is left out."""
    names = [name.decode() for name in shard.state_keys()] if keys is None else list(keys)
    checkpoints, unapplied, skipped, values = script(redis, _READ)(
        keys=[shard.checkpoints_key, *unapplied_keys(shard), *names], args=[]
    )
    return ShardSnapshot(
        checkpoints=read_offsets(replies.pairs(checkpoints)),
        unapplied=decode_unapplied_events(replies.pairs(unapplied), skipped),
        state={
            name: _value(name, kind.decode(), value)
            for name, (kind, value) in zip(names, values, strict=True)
            if kind != b"none"
        },
    )


def in_parts(keys: Iterable[str]) -> Iterator[Sequence[str]]:
    """Split keys into parts for one snapshot each; one empty part if there are none."""
    rest = iter(keys)
    yield list(islice(rest, _KEYS_AT_ONCE))
    while part := list(islice(rest, _KEYS_AT_ONCE)):
        yield part


def _value(name: str, kind: str, contents: Any) -> Value:
    match kind:
        case "string":
            return bytes(contents)
        case "hash":
            return Hash(replies.pairs(contents))
        case "set":
            return RedisSet(contents)
        case "zset":
            scores = replies.pairs(contents)
            return SortedSet({member: float(score) for member, score in scores.items()})
        case _:
            raise TypeError(f"{name} is a {kind}, which no read model writes")
