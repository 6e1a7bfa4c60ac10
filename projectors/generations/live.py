"""Live generations: which one answers for each read model, and how old its answers may be.

Hashes in Redis, written by the workers and read by everyone: model -> number of the live
generation, and model -> the last moment (Unix time) at which it was known to be level with the log.
The other pointers are in ``pointers``.
"""

from collections.abc import Callable, Iterable, Mapping
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
    generations: Mapping[bytes, bytes]
    level: Mapping[bytes, bytes]


class Live:
    """The live generations, as read at most a quarter of a second ago.

    ``connect`` makes the connection of a model, by its name; by default all share ``redis``.
    """

    def __init__(self, redis: Redis, *, connect: Callable[[str], Redis] | None = None) -> None:
        self._redis = redis
        self._connect = connect or (lambda _: redis)
        self._seen = _LivePointers(at=float("-inf"), generations={}, level={})
        self._opened: dict[tuple[str, int], ReadModel] = {}

    def generation(self, name: str) -> int:
        """The number of the live generation; raises NotReady when there is none."""
        number = self._now().generations.get(name.encode())
        if number is None:
            raise NotReady(name)
        return int(number)

    def level_at(self, name: str) -> float | None:
        """When the model was last known to be level with the log (Unix time), if ever."""
        moment = self._now().level.get(name.encode())
        return None if moment is None else float(moment)

    def open(self, model: type[Model]) -> Model:
        """The model's live generation; raises NotReady when there is none."""
        number = self.generation(model.name)
        opened = self._opened.get((model.name, number))
        if not isinstance(opened, model):
            opened = model(self._connect(model.name), number)
            self._opened[model.name, number] = opened
        return opened

    def open_past(self, model: type[Model], label: str) -> Model:
        """The model as it was at the moment of a label; raises NoSuchPast."""
        number = replies.hget(self._redis, PAST_KEY, f"{label}:{model.name}")
        if number is None:
            raise NoSuchPast(label, model.name)
        return model(self._connect(model.name), int(number))

    def mark_level(self, names: Iterable[str], at: float) -> None:
        """Note that the models were level with the log at ``at`` (Unix time)."""
        marks = {name: repr(at) for name in names}
        if marks:
            self._redis.hset(LEVEL_KEY, items=[part for mark in marks.items() for part in mark])

    def forget(self) -> None:
        """Read the pointers again on the next call."""
        self._seen = self._seen._replace(at=float("-inf"))

    def _now(self) -> _LivePointers:
        if monotonic() - self._seen.at > _KEEP_SECONDS:
            at = monotonic()
            with self._redis.pipeline(transaction=False) as pipe:
                pipe.hgetall(GENERATIONS_KEY)
                pipe.hgetall(LEVEL_KEY)
                self._seen = _LivePointers(at, *pipe.execute())
        return self._seen
