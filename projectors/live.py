"""Which generation of each read model answers now, and how old may its answers be?

Hashes in Redis, which the workers write and everyone reads: model -> number of the live
generation, model -> number of the one that is coming, and model -> the last moment (Unix time) at
which it was known to have taken in the whole log.
"""

from collections.abc import Iterable
from functools import cache
from time import monotonic
from typing import NamedTuple, TypeVar

from redis import Redis
from redis.commands.core import Script

from projectors.read_model import ReadModel

GENERATIONS_KEY = "generations:live"
COMING_KEY = "generations:coming"
LEVEL_KEY = "generations:level"

# A stale pointer is harmless (an old generation keeps following), and a level moment that is
# older than the true one only makes an answer say that it is older than it is.
_KEEP_SECONDS = 0.25

# Of one key each, as a cluster wants it.
_ARRIVED = """
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end
"""
_PROPOSE = """
local coming = redis.call('HGET', KEYS[1], ARGV[1])
if coming and coming ~= ARGV[3] then return tonumber(coming) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return tonumber(ARGV[2])
"""

Model = TypeVar("Model", bound=ReadModel)


@cache
def _script(redis: Redis, text: str) -> Script:
    return redis.register_script(text)


class NotReady(Exception):
    """A read model has no live generation: it is being built."""


class _Seen(NamedTuple):
    at: float
    generations: dict[str, int]
    level: dict[str, float]


class Live:
    """The pointers, as seen at most a quarter of a second ago."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._seen = _Seen(at=float("-inf"), generations={}, level={})
        self._opened: dict[tuple[str, int], ReadModel] = {}

    def generation(self, name: str) -> int:
        """The number of the live generation; raises NotReady when there is none."""
        number = self._now().generations.get(name)
        if number is None:
            raise NotReady(name)
        return number

    def level_at(self, name: str) -> float | None:
        """When the model was last known to have taken in the whole log (Unix time), if ever."""
        return self._now().level.get(name)

    def open(self, model: type[Model]) -> Model:
        """The model's live generation; raises NotReady when there is none."""
        key = (model.name, self.generation(model.name))
        opened = self._opened.get(key)
        if not isinstance(opened, model):
            opened = self._opened[key] = model(self._redis, key[1])
        return opened

    def switch(self, name: str, generation: int) -> None:
        """Let a generation answer from now on. Another one may be coming all the same."""
        self._redis.hset(GENERATIONS_KEY, name, generation)
        _script(self._redis, _ARRIVED)(keys=[COMING_KEY], args=[name, generation])
        self.forget()

    def propose(self, name: str, generation: int, *, instead_of: int | None = None) -> int:
        """Say which generation is coming, or is now instead of one; the one said first counts."""
        args: list[str | int] = [name, generation, "" if instead_of is None else instead_of]
        return int(_script(self._redis, _PROPOSE)(keys=[COMING_KEY], args=args))

    def coming(self, name: str) -> int | None:
        """The generation that is being built, if any."""
        number = self._redis.hget(COMING_KEY, name)
        return None if number is None else int(number)

    def mark_level(self, names: Iterable[str], at: float) -> None:
        """Note that the models were level with the log at ``at`` (Unix time)."""
        marks = {name: repr(at) for name in names}
        if marks:
            self._redis.hset(LEVEL_KEY, items=[part for mark in marks.items() for part in mark])

    def forget(self) -> None:
        """Look again at the next question."""
        self._seen = self._seen._replace(at=float("-inf"))

    def _now(self) -> _Seen:
        if monotonic() - self._seen.at > _KEEP_SECONDS:
            at = monotonic()
            with self._redis.pipeline(transaction=False) as pipe:
                pipe.hgetall(GENERATIONS_KEY)
                pipe.hgetall(LEVEL_KEY)
                generations, level = pipe.execute()
            self._seen = _Seen(
                at=at,
                generations={name.decode(): int(number) for name, number in generations.items()},
                level={name.decode(): float(moment) for name, moment in level.items()},
            )
        return self._seen
