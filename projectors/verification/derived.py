"""Compares derived data with its state, at a moment when no event was applied meanwhile.

Nothing is paused: checkpoints are read before and after, and the comparison is repeated if they
differ.
"""

from collections.abc import Callable, Sequence
from time import monotonic, sleep

from redis import Redis

from events.notifications import waiting_readers_channel
from projectors.storage.read_model import ReadModel
from projectors.storage.shard import Shard

_PATIENCE_SECONDS = 10.0
_POLL_SECONDS = 0.05

_NOT_BUILT = "could not be compared: derived data is still being built"
_MOVING = "could not be compared: events keep coming"


def compare(
    redis: Redis,
    shards: Sequence[Shard],
    differences: Callable[[], list[str]],
    *,
    beside: Sequence[Shard] = (),
    prevented: Callable[[], str] = lambda: "",
) -> list[str]:
    """Compare while the checkpoints of these shards and those ``beside`` do not move.

    If that does not succeed in time, return one line with the reason. ``prevented`` returns a
    further reason to wait, or "".
    """
    keys = [shard.checkpoints_key for shard in (*shards, *beside)]
    deadline = monotonic() + _PATIENCE_SECONDS
    while True:
        before = _offsets(redis, keys)
        is_built = _offsets(redis, [shard.built_key for shard in shards]) == before[: len(shards)]
        if not (reason := prevented() or ("" if is_built else _NOT_BUILT)):
            found = differences()
            if not found or before == _offsets(redis, keys):
                return found
            reason = _MOVING
        if monotonic() >= deadline:
            return [reason]
        sleep(_POLL_SECONDS)


def compare_beside(
    model: ReadModel,
    other: ReadModel,
    differences: Callable[[], list[str]],
    *,
    has_seen_all: Callable[[], bool],
) -> list[str]:
    """``compare`` for a builder that reads another model, too: both must be at the same offsets.

    ``has_seen_all``: whether the builder has read changes of the other that offsets don't show.
    Both models have one shard.
    """
    redis, shard, beside = model.redis, model.shard(0), other.shard(0)

    def prevented() -> str:
        its, others = _offsets(redis, [shard.checkpoints_key, beside.checkpoints_key])
        if its != others:
            return f"could not be compared: {model.name} and {other.name} are never at one offset"
        redis.publish(waiting_readers_channel(), model.name)
        return "" if has_seen_all() else _NOT_BUILT

    return compare(redis, [shard], differences, beside=[beside], prevented=prevented)


def _offsets(redis: Redis, keys: Sequence[str]) -> list[dict[bytes, bytes]]:
    with redis.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.hgetall(key)
        return list(pipe.execute())
