"""Withdrawn movies: a mark in a read model's state that hides a movie without deleting its data."""

from redis import Redis

from projectors.storage.shard import Shard, Write


def key(shard: Shard) -> str:
    """The key of the hash of withdrawn movies, by movie id."""
    return shard.state("unlisted")


def write(shard: Shard, movie: int, *, is_listed: bool) -> Write:
    """The command that marks a movie as withdrawn, or removes the mark."""
    return ("HDEL", key(shard), movie) if is_listed else ("HSET", key(shard), movie, 1)


def movie_ids(redis: Redis, shard: Shard) -> frozenset[int]:
    """The ids of all withdrawn movies."""
    return frozenset(map(int, redis.hkeys(key(shard))))
