"""Data of Redis 6.2: loaded as it is by today's engine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from infra.embedded.engines import redis_member, redis_url
from infra.embedded.layout import Layout, layout_of
from infra.platform.supervisor import Supervisor

APPEND_ONLY_FILE = Path(__file__).with_name("redis-6.2.aof")
"""Written by Redis 6.2.14: a snapshot of eight keys, then commands, the last one cut short."""


@pytest.fixture
def layout(open_path, embedded_engines) -> Layout:
    """A data directory with the append-only file of Redis 6.2."""
    layout = layout_of(open_path / "redis-6.2")
    file = layout.home("redis") / "appendonly.aof"
    file.write_bytes(APPEND_ONLY_FILE.read_bytes())
    layout.account.own(file)
    return layout


@contextmanager
def running(layout: Layout) -> Iterator[Redis]:
    with Supervisor() as supervisor:
        supervisor.bring_up([redis_member(layout)])
        with Redis.from_url(redis_url(layout), decode_responses=True) as redis:
            yield redis


def contents(redis: Redis) -> dict[str, object]:
    """Every key, read by the command of its type."""
    read: dict[str, Callable[[Any], object]] = {
        "hash": redis.hgetall,
        "list": lambda key: redis.lrange(key, 0, -1),
        "set": redis.smembers,
        "string": redis.get,
        "zset": lambda key: redis.zrange(key, 0, -1, withscores=True),
    }
    return {str(key): read[str(redis.type(key))](key) for key in redis.scan_iter()}


def test_data_of_redis_6_2_is_loaded_and_kept(layout):
    with running(layout) as redis:
        assert contents(redis) == {
            "big-hash": {f"field-{n}": "x" * 70 for n in range(3)},
            "board": [("603", 1.5), ("680", 2.25)],
            "card": {"title": "Désirée", "score": "8"},
            "checkpoint": {"0": "41", "1": "17"},
            "long": "z" * 40,
            "members": {"1", "2", "3"},
            "names": {"ann", "bob"},
            "queue": ["first", "second"],
        }
        assert redis.ttl("names") > 0
        redis.set("new", "value")
    with running(layout) as redis:
        assert redis.get("new") == "value"
        assert redis.hget("checkpoint", "0") == "41"
