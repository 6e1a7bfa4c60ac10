"""Withdrawn movies: a mark in a read model's state that hides a movie without deleting its data."""

from collections.abc import Iterator, Sequence

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


def read_listed(
    redis: Redis, shard: Shard, hash_key: str, movies: Sequence[int]
) -> dict[int, bytes]:
    """Fields of a hash by movie, without unknown and withdrawn movies.

    Marks are read last, so a movie that is withdrawn meanwhile is left out.
    """
    if not movies:
        return {}
    fields = list(map(str, movies))
    with redis.pipeline(transaction=False) as pipe:
        pipe.hmget(hash_key, fields)
        pipe.hmget(key(shard), fields)
        rows = zip(movies, *pipe.execute(), strict=True)
    return {movie: value for movie, value, mark in rows if value is not None and mark is None}


def scan_listed(redis: Redis, shard: Shard, hash_key: str) -> Iterator[tuple[int, bytes]]:
    """Every movie's field, without withdrawn movies; one that changes meanwhile may come twice."""
    withdrawn = movie_ids(redis, shard)
    for movie, value in redis.hscan_iter(hash_key, count=1000):
        if int(movie) not in withdrawn:
            yield int(movie), value
