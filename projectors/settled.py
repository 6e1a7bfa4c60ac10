"""When does derived data stand still, so that it can be compared with its state?"""

from collections.abc import Callable, Sequence
from time import monotonic, sleep

from redis import Redis

from projectors.holding import standing_still
from projectors.shard import Shard

_PATIENCE_SECONDS = 10.0
_POLL_SECONDS = 0.05
_TRIES = 5


def compare(
    redis: Redis,
    shards: Sequence[Shard],
    differences: Callable[[], list[str]],
    *,
    has_seen_all: Callable[[], bool] = lambda: True,
) -> list[str]:
    """What ``differences`` finds while nothing was taken in; what hinders that is a line, too.

    ``has_seen_all``: whether what is built knows all that offsets don't tell.
    """
    for _ in range(_TRIES):
        if not _is_built(redis, shards, has_seen_all):
            return ["not everything that was taken in has been built"]
        before = _offsets(redis, [shard.checkpoints_key for shard in shards])
        found = differences()
        if not found or before == _offsets(redis, [shard.checkpoints_key for shard in shards]):
            return found
    return ["could not be compared: events keep coming"]


def compare_beside(
    redis: Redis,
    shard: Shard,
    other: Shard,
    differences: Callable[[], list[str]],
    *,
    has_seen_all: Callable[[], bool],
) -> list[str]:
    """The same where another model's data is shown, too.

    Both stand still meanwhile, at the same offsets: or the one would show what is older or newer.
    """
    end = monotonic() + _PATIENCE_SECONDS
    while monotonic() < end:
        with standing_still([shard, other]):
            its, others = _offsets(redis, [shard.checkpoints_key, other.checkpoints_key])
            if its == others:
                return compare(redis, [shard], differences, has_seen_all=has_seen_all)
        sleep(_POLL_SECONDS)
    return ["could not be compared: what it shows of another model is never level with it"]


def _is_built(redis: Redis, shards: Sequence[Shard], has_seen_all: Callable[[], bool]) -> bool:
    end = monotonic() + _PATIENCE_SECONDS
    while monotonic() < end:
        built = _offsets(redis, [shard.built_key for shard in shards])
        level = _offsets(redis, [shard.checkpoints_key for shard in shards])
        if built == level and has_seen_all():
            return True
        sleep(_POLL_SECONDS)
    return False


def _offsets(redis: Redis, keys: Sequence[str]) -> list[dict[bytes, bytes]]:
    with redis.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.hgetall(key)
        return list(pipe.execute())
