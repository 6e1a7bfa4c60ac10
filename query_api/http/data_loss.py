"""Data-loss guard: detects that Redis lost a read model while it was being read.

A process caches the pointer to the live generation for a moment. If Redis loses its data meanwhile,
lost data looks like an empty answer. So every read fetches the pointer again, after the data and in
the same round trip: ``request`` for its pipelines, ``DataLossGuard`` for a read model's own reads.
"""

from typing import Any

from redis import Redis
from redis.client import Pipeline

from projectors.generations.live import GENERATIONS_KEY, NotReady


class DataLossGuard(Redis):
    """The connection of a read model; raises NotReady when Redis lost the model's data."""

    def __init__(self, redis: Redis, model: str) -> None:
        super().__init__(connection_pool=redis.connection_pool)
        self._model = model

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """See Redis."""
        with self.pipeline(transaction=False) as pipe:
            pipe.execute_command(*args, **options)  # type: ignore[no-untyped-call]  # redis-py's
            [answer] = pipe.execute()
        return answer

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline:  # noqa: FBT001, FBT002 - as redis-py has it
        """See Redis; no transaction, because the pointer is in another hash slot."""
        if transaction:
            raise ValueError("A guarded read is no transaction: give transaction=False.")
        return _Pipeline(self, self._model)


class _Pipeline(Pipeline):
    def __init__(self, redis: Redis, model: str) -> None:
        super().__init__(redis.connection_pool, redis.response_callbacks, False, None)  # noqa: FBT003 - as redis-py has it
        self._model = model

    def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - as redis-py has it
        if not len(self):
            return []
        self.hget(GENERATIONS_KEY, self._model)
        *answers, pointer = super().execute(raise_on_error)
        if pointer is None:
            raise NotReady(self._model)
        return answers
