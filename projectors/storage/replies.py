"""Typed Redis replies: our connections never decode, so every text is bytes.

redis-py's own types allow for both.
"""

from collections.abc import Sequence
from typing import cast

from redis import Redis


def get(redis: Redis, key: str) -> bytes | None:
    return cast("bytes | None", redis.get(key))


def hget(redis: Redis, key: str, field: str) -> bytes | None:
    return cast("bytes | None", redis.hget(key, field))


def hmget(redis: Redis, key: str, fields: Sequence[str]) -> list[bytes | None]:
    return cast("list[bytes | None]", redis.hmget(key, list(fields)))


def hmget_by_number(redis: Redis, key: str, numbers: Sequence[int]) -> dict[int, bytes]:
    """Fields of a hash by number, without those it lacks."""
    if not numbers:
        return {}
    values = hmget(redis, key, [str(number) for number in numbers])
    return {
        number: value for number, value in zip(numbers, values, strict=True) if value is not None
    }


def hgetall(redis: Redis, key: str) -> dict[bytes, bytes]:
    return cast("dict[bytes, bytes]", redis.hgetall(key))


def ranking(redis: Redis, key: str, limit: int) -> list[tuple[bytes, float]]:
    """The top of a sorted set, highest score first."""
    reply = redis.zrange(key, 0, limit - 1, desc=True, withscores=True)
    return cast("list[tuple[bytes, float]]", reply)


def pairs(flat: Sequence[bytes]) -> dict[bytes, bytes]:
    """A hash as a script returns it: field, value, field, value."""
    parts = iter(flat)
    return dict(zip(parts, parts, strict=True))
