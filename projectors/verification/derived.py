"""When does derived data stand still, so that it can be compared with its state?"""

from collections.abc import Callable, Sequence
from time import monotonic, sleep

from redis import Redis

from events.notifications import waiting_readers_channel
from projectors.storage.read_model import ReadModel
from projectors.storage.shard import Shard
from projectors.verification.snapshot import paused

_PATIENCE_SECONDS = 10.0
_POLL_SECONDS = 0.05
_TRIES = 5
_HELD_SECONDS = 1.0
_REST_SECONDS = 0.25
_LAPSE_SECONDS = 10


def compare(
    redis: Redis, shards: Sequence[Shard], differences: Callable[[], list[str]]
) -> list[str]:
    """What ``differences`` finds while nothing was taken in; what hinders that is a line, too."""
    for _ in range(_TRIES):
        if not _is_built(redis, shards):
            return ["not everything that was taken in has been built"]
        before = _offsets(redis, [shard.checkpoints_key for shard in shards])
        found = differences()
        if not found or before == _offsets(redis, [shard.checkpoints_key for shard in shards]):
            return found
    return ["could not be compared: events keep coming"]


def compare_beside(
    model: ReadModel,
    other: ReadModel,
    differences: Callable[[], list[str]],
    *,
    has_seen_all: Callable[[], bool],
) -> list[str]:
    """The same of two models of one shard each, where what is built of one shows the other, too.

    Both stand still meanwhile, at the same offsets: or the one would show what is older or newer.
    ``has_seen_all``: whether what is built knows of the other what offsets don't tell.
    """
    redis, shard, beside = model.redis, model.shard(0), other.shard(0)
    keys = [shard.checkpoints_key, beside.checkpoints_key]
    hindered = f"could not be compared: {model.name} and {other.name} are never at one point"
    end = monotonic() + _PATIENCE_SECONDS
    while monotonic() < end:
        with paused([shard, beside], seconds=_LAPSE_SECONDS):
            its, others = before = _offsets(redis, keys)
            if its == others:
                hindered = "not everything that was taken in has been built"
                if _catches_up(redis, model, its, has_seen_all):
                    found = differences()
                    if not found or before == _offsets(redis, keys):
                        return found
        sleep(_REST_SECONDS if its == others else _POLL_SECONDS)
    return [hindered]


def _catches_up(
    redis: Redis, model: ReadModel, its: dict[bytes, bytes], has_seen_all: Callable[[], bool]
) -> bool:
    """Whether all is built within the short time for which a busy model can be held for it."""
    redis.publish(waiting_readers_channel(), model.name)
    end = monotonic() + _HELD_SECONDS
    while monotonic() < end:
        if _offsets(redis, [model.shard(0).built_key]) == [its] and has_seen_all():
            return True
        sleep(_POLL_SECONDS / 5)
    return False


def _is_built(redis: Redis, shards: Sequence[Shard]) -> bool:
    end = monotonic() + _PATIENCE_SECONDS
    while monotonic() < end:
        built = _offsets(redis, [shard.built_key for shard in shards])
        if built == _offsets(redis, [shard.checkpoints_key for shard in shards]):
            return True
        sleep(_POLL_SECONDS)
    return False


def _offsets(redis: Redis, keys: Sequence[str]) -> list[dict[bytes, bytes]]:
    with redis.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.hgetall(key)
        return list(pipe.execute())
