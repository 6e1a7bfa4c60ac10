"""Which movies does a model know that it shows to nobody, because they are withdrawn?

A hash of its state beside what it knows of movies: to restore one is to take its mark away.
"""

from redis import Redis

from projectors.storage.shard import Shard, Write


def key_of(shard: Shard) -> str:
    """Where a shard has the marks: by movie."""
    return shard.state("unlisted")


def write(shard: Shard, movie: int, *, is_listed: bool) -> Write:
    """What marks a movie, or takes its mark away."""
    key = key_of(shard)
    return ("HDEL", key, movie) if is_listed else ("HSET", key, movie, 1)


def marked(redis: Redis, shard: Shard) -> frozenset[int]:
    """All that are."""
    return frozenset(map(int, redis.hkeys(key_of(shard))))
