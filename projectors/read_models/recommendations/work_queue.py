"""Work queue of the recommendations builder: marked users and the oldest lists.

A mark is a user with the offset of the last event that touched them. It is removed only if it is
unchanged after the list was written, so nothing is lost when a builder dies in between. A shard
that lost its derived data (its key ``whole`` is gone) gets a mark for every user.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from redis import Redis

from projectors.read_models.recommendations.read_model import Recommendations
from projectors.storage.shard import Shard, script

_READ = """
return {redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2]),
        redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2]),
        redis.call('EXISTS', KEYS[4]), redis.call('HGETALL', KEYS[5]),
        redis.call('HGET', KEYS[6], 'late') or ''}
"""
_CLEAR = """
for nth = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[nth]) == ARGV[nth + 1] then
    redis.call('HDEL', KEYS[1], ARGV[nth])
  end
end
"""


class ShardQueue(NamedTuple):
    """Queue of one shard, and its checkpoints at the time of the read."""

    shard: Shard
    marks: dict[str, int]
    checkpoints: dict[int, int]
    oldest: list[str]
    is_whole: bool
    built: dict[int, int]
    """Offsets up to which its lists were noted as built."""
    late: str
    """Count of parked events applied later: passed on to ``note_built``."""


def read_queues(
    recommendations: Recommendations,
    partitions: Iterable[int],
    *,
    made_before: datetime,
    limit: int,
) -> list[ShardQueue]:
    """Read the queue of each shard; marks and checkpoints of a shard are read in one step.

    Includes the ``limit`` oldest lists of each shard among those built before ``made_before``.
    """
    shards = [recommendations.shard(partition) for partition in partitions]
    read = script(recommendations.redis, _READ)
    with recommendations.redis.pipeline(transaction=False) as pipe:
        for shard in shards:
            dirty, made, whole = map(shard.derived, ("dirty", "made", "whole"))
            keys = [dirty, shard.checkpoints_key, made, whole, shard.built_key, shard.changes_key]
            read(keys=keys, args=[f"({made_before.timestamp()}", limit], client=pipe)
        all_replies = pipe.execute()
    return [
        ShardQueue(
            shard,
            marks={user.decode(): int(offset) for user, offset in _pairs(marks)},
            checkpoints=_offsets(checkpoints),
            oldest=[user.decode() for user in old],
            is_whole=bool(is_whole),
            built=_offsets(built),
            late=late.decode(),
        )
        for shard, (marks, checkpoints, old, is_whole, built, late) in zip(
            shards, all_replies, strict=True
        )
    ]


def remove_marks(redis: Redis, shard: Shard, marks: Mapping[str, int]) -> None:
    """Remove marks that have not moved since."""
    if marks:
        args = [part for pair in marks.items() for part in pair]
        script(redis, _CLEAR)(keys=[shard.derived("dirty")], args=args)


def mark_all_users(recommendations: Recommendations, shards: Iterable[Shard]) -> None:
    """Mark every user with events in these shards."""
    everyone: dict[str, set[str]] = {}
    for tag, user in recommendations.users_with_taste():
        everyone.setdefault(tag, set()).add(user)
    for shard in shards:
        users = everyone.get(shard.tag, set()) | recommendations.users_with_preferences(shard)
        with recommendations.redis.pipeline(transaction=True) as pipe:
            for user in sorted(users):
                pipe.hsetnx(shard.derived("dirty"), user, "0")
            pipe.set(shard.derived("whole"), 1)
            pipe.execute()


def _offsets(flat: Sequence[bytes]) -> dict[int, int]:
    return {int(partition): int(offset) for partition, offset in _pairs(flat)}


def _pairs(flat: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    parts = iter(flat)
    return zip(parts, parts, strict=True)
