"""Is there nothing, or was it lost?

Which generation answers is remembered for a moment. When Redis loses all it has in that moment,
what was lost would look like what never was. So whoever reads asks in the same trip, behind the
data, whether the pointer is still there: ``asking`` does where it puts the questions, and a read
model that puts its own does it by ``DataLossGuard``.
"""

from typing import Any

from redis import Redis
from redis.client import Pipeline

from projectors.generations.live import GENERATIONS_KEY, Model, NotReady


class DataLossGuard(Redis):
    """Where a read model reads; raises NotReady where Redis lost what it had of it."""

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
        """See Redis."""
        return _Pipeline(self, self._model, transaction=transaction)


class _Pipeline(Pipeline):
    def __init__(self, redis: Redis, model: str, *, transaction: bool) -> None:
        super().__init__(redis.connection_pool, redis.response_callbacks, transaction, None)
        self._model = model

    def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - as redis-py has it
        if not len(self):
            return []
        self.hget(GENERATIONS_KEY, self._model)
        *answers, pointer = super().execute(raise_on_error)
        if pointer is None:
            raise NotReady(self._model)
        return answers


def guarded(model: Model) -> Model:
    """The same model, whose own reads raise NotReady for what was lost."""
    if not isinstance(model.redis, DataLossGuard):
        model.redis = DataLossGuard(model.redis, model.name)
    return model
