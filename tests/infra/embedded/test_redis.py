"""Embedded Redis: rights of the query and cache users."""

from collections.abc import Iterator

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from infra.embedded.engines import environment, redis_member
from infra.embedded.layout import Layout, layout_of
from tests.fixtures.waiting import until


@pytest.fixture
def layout(open_path, embedded_engines) -> Iterator[Layout]:
    """Directory in which only Redis runs."""
    layout = layout_of(open_path / "redis-alone")
    member = redis_member(layout)
    member.start()
    try:
        until(lambda: member.is_ready and member.is_ready())
        yield layout
    finally:
        member.process.stop()


def test_cache_user_of_embedded_redis_may_only_use_caches(layout):
    urls = environment(layout, query_url="")
    with Redis.from_url(urls["MARQUEE_CACHE_REDIS_URL"]) as cache:
        assert cache.set("cache:x", 1, nx=True, px=60_000)
        script = "redis.call('DEL', KEYS[1]) return redis.call('SET', KEYS[2], 'y')"
        assert cache.eval(script, 2, "cache:x", "cache:y")
        assert (cache.get("cache:x"), cache.get("cache:y")) == (None, b"y")
        for attempt in (
            lambda: cache.set("x", 1),
            lambda: cache.get("x"),
            lambda: cache.eval("return redis.call('SET', 'x', 1)", 0),
            lambda: cache.hset("cache:z", "a", 1),
            lambda: cache.publish("hints", 1),
            lambda: cache.config_get("*"),
            cache.flushall,
        ):
            with pytest.raises(ResponseError):
                attempt()
    with Redis.from_url(urls["MARQUEE_QUERY_REDIS_URL"]) as query:
        assert query.get("cache:y") == b"y"
        with pytest.raises(ResponseError):
            query.set("cache:y", 1)
