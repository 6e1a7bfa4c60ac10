"""Typed Redis replies: our connections never decode, so every text is bytes.

redis-py's own types allow for both.
"""

from collections.abc import Sequence
from typing import cast

from redis import Redis


def get(redis: Redis, key: str) -> bytes | None:
    """A value."""
    return cast("bytes | None", redis.get(key))


def hget(redis: Redis, key: str, field: str) -> bytes | None:
    """A field of a hash."""
    return cast("bytes | None", redis.hget(key, field))


def hmget(redis: Redis, key: str, fields: Sequence[str]) -> list[bytes | None]:
    """Some fields of a hash, in order."""
    return cast("list[bytes | None]", redis.hmget(key, list(fields)))


def hgetall(redis: Redis, key: str) -> dict[bytes, bytes]:
    """A hash."""
    return cast("dict[bytes, bytes]", redis.hgetall(key))


def ranking(redis: Redis, key: str, limit: int) -> list[tuple[bytes, float]]:
    """The top of a sorted set, highest score first."""
    reply = redis.zrange(key, 0, limit - 1, desc=True, withscores=True)
    return cast("list[tuple[bytes, float]]", reply)
