"""Pointers: which generations workers keep level, and how one takes over from another.

Hashes in Redis, beside the one with the live generations (``live``):

    coming    model -> number that workers build because none fits, and switch to once level
    joining   model -> number that a rebuild filled: workers keep it level, the rebuild switches
    kept      model:number -> Unix time until which one that answered before is kept level
    followed  model:number -> Unix time at which a worker last had it, with its builder

In a cluster each key may be on another node, so several cannot change in one step. They change in
an order in which a crash in between leaves nothing worse than a generation kept for too long.
"""

from collections.abc import Iterable, Mapping
from time import time
from typing import NamedTuple, TypeAlias

from redis import Redis

from infra.config import config
from projectors.generations.live import GENERATIONS_KEY, PAST_KEY
from projectors.storage import replies
from projectors.storage.shard import script

COMING_KEY = "generations:coming"
JOINING_KEY = "generations:joining"
KEPT_KEY = "generations:kept"
FOLLOWED_KEY = "generations:followed"

GenerationId: TypeAlias = tuple[str, int]
"""A generation: its model's name, and its number."""

_FOLLOWED_SECONDS = 5.0
"""A running worker notes what it follows every second."""

# One key each: a cluster requires it.
_REMOVE_IF_EQUAL = """
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end
"""
_PROPOSE = """
local coming = redis.call('HGET', KEYS[1], ARGV[1])
if coming and coming ~= ARGV[3] then return tonumber(coming) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return tonumber(ARGV[2])
"""
# Scripts, because one process may extend the time while another ends it.
_KEEP_ON = """
local over = redis.call('HGET', KEYS[1], ARGV[1])
if not over then return 0 end
if tonumber(over) < tonumber(ARGV[2]) then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
return 1
"""
_RELEASE_IF_OVER = """
local over = redis.call('HGET', KEYS[1], ARGV[1])
if not over or tonumber(over) > tonumber(ARGV[2]) then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
"""


class PointerSnapshot(NamedTuple):
    """All pointers, as read by one pipeline."""

    live: dict[str, int]
    coming: dict[str, int]
    joining: dict[str, int]
    kept: dict[GenerationId, float]
    past: dict[tuple[str, str], int]
    """(Label, model) -> number."""

    def is_followed(self, name: str, number: int) -> bool:
        """Whether workers whose code has its version keep this generation level."""
        return (name, number) in self.kept or number in (
            self.live.get(name),
            self.coming.get(name),
            self.joining.get(name),
        )

    def holds(self, name: str, number: int) -> bool:
        """Whether any pointer is to this generation."""
        return self.is_followed(name, number) or (name, number) in [
            (model, of) for (_, model), of in self.past.items()
        ]


class Pointers:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def snapshot(self) -> PointerSnapshot:
        """All pointers; a generation that moves from one to another meanwhile is in at least one.

        The new pointer is set before the old one is removed, and read after it: of a live
        generation that is kept, and of a kept one that is live again.
        """
        with self._redis.pipeline(transaction=False) as pipe:
            for key in (COMING_KEY, JOINING_KEY, KEPT_KEY, GENERATIONS_KEY, KEPT_KEY, PAST_KEY):
                pipe.hgetall(key)
            coming, joining, kept_before, live, kept, past = pipe.execute()
        kept = kept_before | kept
        return PointerSnapshot(
            live=_numbers(live),
            coming=_numbers(coming),
            joining=_numbers(joining),
            kept={_parse_id(name): float(until) for name, until in kept.items()},
            past={_parse_label(name): int(number) for name, number in past.items()},
        )

    # ------------------------------------------------------------------------------ cut-over

    def propose(self, name: str, number: int, *, instead_of: int | None = None) -> int:
        """Set which generation is coming, unless another process did; return its number."""
        args: list[str | int] = [name, number, "" if instead_of is None else instead_of]
        return int(script(self._redis, _PROPOSE)(keys=[COMING_KEY], args=args))

    def join(self, chosen: Mapping[str, int]) -> None:
        """Ask the workers to keep these generations level, too."""
        self._redis.hset(JOINING_KEY, items=_items(chosen))

    def leave(self, name: str, number: int) -> None:
        """Undo ``join`` for one."""
        script(self._redis, _REMOVE_IF_EQUAL)(keys=[JOINING_KEY], args=[name, number])

    def switch(self, chosen: Mapping[str, int]) -> None:
        """Make these generations live, all at once; the previous ones are kept for a while."""
        until = repr(time() + 60 * config().keep_generation_minutes)
        before = replies.hmget(self._redis, GENERATIONS_KEY, list(chosen))
        old = {
            _name(name, int(number)): until
            for (name, now), number in zip(chosen.items(), before, strict=True)
            if number is not None and int(number) != now
        }
        if old:
            self._redis.hset(KEPT_KEY, items=_items(old))
        self._redis.hset(GENERATIONS_KEY, items=_items(chosen))
        self._redis.hdel(KEPT_KEY, *(_name(name, number) for name, number in chosen.items()))
        for name, number in chosen.items():
            for key in (COMING_KEY, JOINING_KEY):
                script(self._redis, _REMOVE_IF_EQUAL)(keys=[key], args=[name, number])

    def keep_on(self, name: str, number: int, *, seconds: float) -> bool:
        """Keep a kept one for at least this long; whether it is kept at all."""
        args: list[str] = [_name(name, number), repr(time() + seconds)]
        return bool(script(self._redis, _KEEP_ON)(keys=[KEPT_KEY], args=args))

    def release_if_over(self, name: str, number: int) -> bool:
        """Stop keeping it if its time is over; whether it was."""
        args: list[str] = [_name(name, number), repr(time())]
        return bool(script(self._redis, _RELEASE_IF_OVER)(keys=[KEPT_KEY], args=args))

    def release(self, name: str, number: int) -> None:
        """Stop keeping it."""
        self._redis.hdel(KEPT_KEY, _name(name, number))

    # ------------------------------------------------------------------------------ the past

    def remember(self, label: str, name: str, number: int) -> None:
        """Let a generation answer for the label of a past moment."""
        self._redis.hset(PAST_KEY, f"{label}:{name}", number)

    def forget(self, label: str, name: str) -> None:
        """Remove the label of a past moment."""
        self._redis.hdel(PAST_KEY, f"{label}:{name}")

    # ------------------------------------------------------------------------------ workers

    def note_followed(self, ids: Iterable[GenerationId]) -> None:
        """Note that a worker follows these now and builds their derived data."""
        now = repr(time())
        if noted := {_name(*id_): now for id_ in ids}:
            self._redis.hset(FOLLOWED_KEY, items=_items(noted))

    def followed(self) -> set[GenerationId]:
        """The generations that some worker follows now."""
        lately = time() - _FOLLOWED_SECONDS
        return {
            _parse_id(name)
            for name, at in replies.hgetall(self._redis, FOLLOWED_KEY).items()
            if float(at) > lately
        }

    def forget_followed(self, name: str, number: int) -> None:
        """Note that no worker follows it."""
        self._redis.hdel(FOLLOWED_KEY, _name(name, number))


def _items(values: Mapping[str, int] | Mapping[str, str]) -> list[str | int]:
    return [part for pair in values.items() for part in pair]


def _name(name: str, number: int) -> str:
    return f"{name}:{number}"


def _numbers(stored: Mapping[bytes, bytes]) -> dict[str, int]:
    return {name.decode(): int(number) for name, number in stored.items()}


def _parse_id(stored: bytes) -> GenerationId:
    name, _, number = stored.decode().rpartition(":")
    return name, int(number)


def _parse_label(stored: bytes) -> tuple[str, str]:
    label, _, name = stored.decode().rpartition(":")
    return label, name
