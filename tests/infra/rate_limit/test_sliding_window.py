"""Sliding window: limits, waiting times and keys."""

from itertools import pairwise
from typing import get_args

import msgspec
import pytest
from redis import Redis
from redis.crc import key_slot
from redis.exceptions import ResponseError

from infra.config import config
from infra.errors import TooMany
from infra.rate_limit import sliding_window
from infra.rate_limit.sliding_window import (
    HOUR,
    Scope,
    Throttle,
    WindowCount,
    count_without_redis,
)


@pytest.fixture
def redis(redis_url):
    with Redis.from_url(redis_url) as client:
        yield client


def ask(counter, redis):
    with redis.pipeline(transaction=False) as pipe:
        counter.enqueue(pipe)
        current, _, previous = pipe.execute()
        return counter.judge(WindowCount(current, int(previous or 0)))


def test_counters_of_a_log_in_are_in_one_hash_slot():
    """One script counts all of them."""
    counters = [
        Throttle("login", "ann", limit=10, now=1000.0),
        Throttle("login", "192.0.2.1", limit=10, now=1000.0),
        Throttle("account", "ann", limit=10, now=1000.0),
    ]
    keys = [key for counter in counters for key in (counter.key, counter.previous_key)]
    assert len(set(keys)) == 6
    assert len({key_slot(key.encode()) for key in keys}) == 1


def test_request_beyond_the_limit_is_refused(redis):
    counter = Throttle("read", "ann", limit=2, now=1000.0)
    assert ask(counter, redis) == {
        "RateLimit-Limit": "2",
        "RateLimit-Remaining": "1",
        "RateLimit-Reset": "20",
    }
    assert ask(counter, redis)["RateLimit-Remaining"] == "0"
    with pytest.raises(TooMany) as refusal:
        ask(counter, redis)
    assert refusal.value.headers == {
        "Retry-After": "21",
        "RateLimit-Limit": "2",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": "21",
    }


def test_burst_across_two_minutes_counts_as_one(redis):
    """Two bursts that a fixed window would both let through."""
    for _ in range(10):
        ask(Throttle("read", "ann", limit=10, now=1019.9), redis)
    ask(Throttle("read", "ann", limit=10, now=1020.1), redis)  # a hundredth has decayed already
    with pytest.raises(TooMany):
        ask(Throttle("read", "ann", limit=10, now=1020.2), redis)
    assert ask(Throttle("read", "ann", limit=10, now=1050.0), redis)["RateLimit-Remaining"] == "2"


def test_users_and_scopes_have_separate_counters(redis):
    counters: list[tuple[Scope, str]] = [("read", "ann"), ("read", "bob"), ("search", "ann")]
    for scope, key in counters:
        assert ask(Throttle(scope, key, 1, 1000.0), redis)["RateLimit-Remaining"] == "0"


@pytest.mark.parametrize("scope", ["read", "search"])
def test_query_api_may_count_its_scopes(query_redis_url, scope):
    counter = Throttle(scope, "ann", 1, 1000.0)
    with Redis.from_url(query_redis_url) as query:
        assert ask(counter, query)["RateLimit-Remaining"] == "0"
        with pytest.raises(TooMany):
            ask(counter, query)


@pytest.mark.parametrize("scope", sorted({*get_args(Scope)} - {"read", "search"}))
@pytest.mark.parametrize("command", ["DEL {}", "UNLINK {}", "SET {} 0", "EXPIRE {} 0", "GETDEL {}"])
def test_query_api_cannot_reset_counters_of_commands(redis, query_redis_url, scope, command):
    """Otherwise a thief of the session could guess passwords without end."""
    counter = Throttle(scope, "ann", 1, 1000.0)
    ask(counter, redis)
    with Redis.from_url(query_redis_url) as query:
        with pytest.raises(ResponseError, match="permission"):
            query.execute_command(*command.format(counter.key).split())
        with pytest.raises(ResponseError, match="permission"):
            ask(counter, query)
    assert redis.get(counter.key) == b"1"


def test_counters_expire(redis):
    ask(Throttle("read", "ann", 1, 1000.0), redis)
    ask(Throttle("account", "ann", 1, 1000.0, HOUR), redis)
    for key in redis.keys("throttle:*"):
        assert 60 <= redis.ttl(key) <= 2 * HOUR


def test_both_windows_of_a_counter_share_a_hash_slot():
    counter = Throttle("read", "ann", 1, 1000.0)
    tags = [key.partition("{")[2].partition("}")[0] for key in (counter.key, counter.previous_key)]
    assert tags == ["read:ann", "read:ann"]


@pytest.mark.parametrize("limit", [1, 2, 7, 600])
@pytest.mark.parametrize("previous", [0, 1, 5, 600, 1200])
@pytest.mark.parametrize("passed", [0.0, 0.5, 30.0, 59.9])
def test_request_after_retry_after_passes(limit, previous, passed):
    """A request slightly more than a second earlier is refused, unless the wait is below that."""
    counter = Throttle("read", "ann", limit, now=60_000.0 + passed)
    used = max(0, limit - int(previous * counter.weight))
    refused = WindowCount(used + 1, previous)
    assert counter.used(refused) > limit
    wait = counter.wait_seconds(refused)
    assert wait >= 1
    assert is_free(counter, wait, used, previous)
    assert wait < 2 or not is_free(counter, wait - 1.1, used, previous)


def is_free(counter, wait, taken, previous):
    later = Throttle("read", "ann", counter.limit, counter.now + wait)
    windows = int(later.now) // 60 - int(counter.now) // 60
    count = [WindowCount(taken + 1, previous), WindowCount(1, taken), WindowCount(1, 0)][
        min(windows, 2)
    ]
    return later.used(count) <= counter.limit


def test_weight_of_window_before_decreases():
    used = [
        Throttle("read", "a", 9, 60.0 + now).used(WindowCount(0, 64)) for now in range(0, 60, 15)
    ]
    assert used == [64, 48, 32, 16]
    assert all(later < earlier for earlier, later in pairwise(used))


@pytest.mark.parametrize(("limit", "processes", "share"), [(600, 1, 600), (600, 4, 150), (2, 3, 1)])
def test_processes_divide_a_limit_while_redis_cannot_count(monkeypatch, limit, processes, share):
    changed = msgspec.structs.replace(config(), server_processes=processes)
    monkeypatch.setattr(sliding_window, "config", lambda: changed)
    whole = Throttle("read", "ann", limit, 1000.0)
    part = whole.share()
    assert (part.limit, part.key, part.previous_key) == (share, whole.key, whole.previous_key)


def test_window_slides_while_redis_cannot_count():
    fault = ResponseError("MISCONF ...")

    def ask_at(now):
        share, window = count_without_redis(Throttle("read", "slider", 4, now), fault)
        return share.judge(window)["RateLimit-Remaining"]

    assert [ask_at(1019.9) for _ in range(4)] == ["3", "2", "1", "0"]
    assert ask_at(1020.1) == "0"  # a hundredth has decayed already
    with pytest.raises(TooMany):
        ask_at(1020.2)
    assert ask_at(1065.0) == "0"  # a quarter of four, and three of this minute


def test_counts_without_redis_are_bounded(monkeypatch):
    monkeypatch.setattr(sliding_window, "_MOST_KEYS", 10)
    counts = sliding_window._CountsWithoutRedis()
    for number in range(100):
        counts.count(Throttle("read", str(number), 9, 1000.0))
        assert len(counts._counts) <= 10
