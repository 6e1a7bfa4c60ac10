"""Live generations: which one answers for each read model, and how old its answers may be.

Hashes in Redis, written by the workers and read by everyone: model -> number of the live
generation, and model -> the last moment (Unix time) at which it was known to be level with the log.
The other pointers are in ``pointers``.
"""

from collections.abc import Iterable, Mapping
from time import monotonic
from typing import NamedTuple, TypeVar

from redis import Redis

from projectors.storage import replies
from projectors.storage.read_model import ReadModel

GENERATIONS_KEY = "generations:live"
LEVEL_KEY = "generations:level"
PAST_KEY = "generations:past"
"""``label:model`` -> number of the generation that shows a moment of the past."""

# A stale pointer is harmless (an old generation keeps following), and a level moment that is
# older than the true one only makes an answer report a greater age.
_KEEP_SECONDS = 0.25

Model = TypeVar("Model", bound=ReadModel)


class NotReady(Exception):
    """A read model has no live generation: it is being built."""

    @property
    def advice(self) -> str:
        """What an operator can do."""
        return (
            f"{self} has no live generation yet: it is being built."
            " ./manage.py lag --wait 300 ends when all are level."
        )


class NoSuchPast(Exception):
    """No generation of a model has this label."""

    def __init__(self, label: str, name: str) -> None:
        super().__init__(f"{name} as of {label}")
        self.label = label
        self.name = name


class _LivePointers(NamedTuple):
    at: float
    generations: dict[str, int]
    level: dict[str, float]


class Live:
    """The live generations, as read at most a quarter of a second ago."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._seen = _LivePointers(at=float("-inf"), generations={}, level={})
        self._opened: dict[tuple[str, int], ReadModel] = {}

    def generation(self, name: str) -> int:
        """The number of the live generation; raises NotReady when there is none."""
        number = self._now().generations.get(name)
        if number is None:
            raise NotReady(name)
        return number

    def level_at(self, name: str) -> float | None:
        """When the model was last known to be level with the log (Unix time), if ever."""
        return self._now().level.get(name)

    def open(self, model: type[Model]) -> Model:
        """The model's live generation; raises NotReady when there is none."""
        return self._open(model, self.generation(model.name))

    def as_of(self, label: str) -> "Past":
        """The generations that show one moment of the past."""
        return Past(self._redis, self, label)

    def mark_level(self, names: Iterable[str], at: float) -> None:
        """Note that the models were level with the log at ``at`` (Unix time)."""
        marks = {name: repr(at) for name in names}
        if marks:
            self._redis.hset(LEVEL_KEY, items=[part for mark in marks.items() for part in mark])

    def forget(self) -> None:
        """Read the pointers again on the next call."""
        self._seen = self._seen._replace(at=float("-inf"))

    def _open(self, model: type[Model], number: int) -> Model:
        opened = self._opened.get((model.name, number))
        if not isinstance(opened, model):
            opened = self._opened[model.name, number] = model(self._redis, number)
        return opened

    def _now(self) -> _LivePointers:
        if monotonic() - self._seen.at > _KEEP_SECONDS:
            at = monotonic()
            with self._redis.pipeline(transaction=False) as pipe:
                pipe.hgetall(GENERATIONS_KEY)
                pipe.hgetall(LEVEL_KEY)
                generations, level = pipe.execute()
            self._seen = _LivePointers(
                at=at,
                generations=numbers(generations),
                level={name.decode(): float(moment) for name, moment in level.items()},
            )
        return self._seen


class Past:
    """The read models as they were at the moment of a label."""

    def __init__(self, redis: Redis, live: Live, label: str) -> None:
        self._redis = redis
        self._live = live
        self.label = label

    def open(self, model: type[Model]) -> Model:
        """The model as it was; raises NoSuchPast."""
        number = replies.hget(self._redis, PAST_KEY, f"{self.label}:{model.name}")
        if number is None:
            raise NoSuchPast(self.label, model.name)
        return self._live._open(model, int(number))  # noqa: SLF001 - Past shares the cache of Live


def numbers(stored: Mapping[bytes, bytes]) -> dict[str, int]:
    """Model -> number, out of a hash of them."""
    return {name.decode(): int(number) for name, number in stored.items()}
