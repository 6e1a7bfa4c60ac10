"""What does a shard hold, all of it at one moment, and how do shards stand still for it?

The shard is held still while it is read: the hold stops its projector for that long, and no
longer. Should the hold not have held (it ends by itself after a minute), the checkpoints tell.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

from redis import Redis

from projectors.parking.store import UnappliedEvents, read_unapplied_events
from projectors.storage.shard import Shard
from projectors.verification.fold import Hash, RedisSet, SortedSet, Value

_HOLD_SECONDS = 60
_TRIES = 5
_AT_ONCE = 500


class ShardChanged(Exception):
    """The shard went on while it was read, each time."""


class ShardSnapshot(NamedTuple):
    """A shard's checkpoints, what it left out of what they have passed, and its state."""

    checkpoints: Mapping[int, int]
    unapplied: UnappliedEvents
    state: Mapping[str, Value]


@contextmanager
def paused(shards: Iterable[Shard], *, seconds: int = _HOLD_SECONDS) -> Iterator[None]:
    """Hold all of them as long as the block lasts; that is less than these seconds.

    So long they stay held when whoever holds them is killed.
    """
    held = list(shards)
    try:
        for shard in held:
            shard.pause(seconds)
        yield
    finally:
        for shard in held:
            shard.resume()


def read(redis: Redis, shard: Shard, keys: Sequence[str] | None = None) -> ShardSnapshot:
    """What the shard holds under ``keys``, by default all its state; raises ShardChanged."""
    for _ in range(_TRIES):
        with paused([shard]):
            before = shard.checkpoints(), read_unapplied_events(redis, shard)
            names = _text(shard.state_keys()) if keys is None else keys
            state = dict(values(redis, names))
            after = shard.checkpoints(), read_unapplied_events(redis, shard)
        if before == after:
            return ShardSnapshot(*before, state)
    raise ShardChanged(shard.state())


def _text(names: Sequence[bytes]) -> list[str]:
    return [name.decode() for name in names]


def values(redis: Redis, names: Sequence[str]) -> Iterator[tuple[str, Value]]:
    """Those of the keys that are there, with what they hold."""
    remaining = iter(names)
    while some := list(islice(remaining, _AT_ONCE)):
        with redis.pipeline(transaction=False) as pipe:
            for name in some:
                pipe.type(name)
            kinds = [kind.decode() for kind in pipe.execute()]
            there = [(name, kind) for name, kind in zip(some, kinds, strict=True) if kind != "none"]
            for name, kind in there:
                _ask(pipe, name, kind)
            answers = pipe.execute()
        for (name, kind), answer in zip(there, answers, strict=True):
            yield name, _value(kind, answer)


def _ask(pipe: Any, name: str, kind: str) -> None:
    match kind:
        case "string":
            pipe.get(name)
        case "hash":
            pipe.hgetall(name)
        case "set":
            pipe.smembers(name)
        case "zset":
            pipe.zrange(name, 0, -1, withscores=True)
        case _:
            raise TypeError(f"{name} is a {kind}, which no read model makes")


def _value(kind: str, answer: Any) -> Value:
    match kind:
        case "hash":
            return Hash(answer)
        case "set":
            return RedisSet(answer)
        case "zset":
            return SortedSet({member: float(score) for member, score in answer})
        case _:
            return bytes(answer)
