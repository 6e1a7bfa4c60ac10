"""Atomic rate limits: concurrent requests, several counters, and Redis away."""

from threading import Barrier, Thread

import msgspec
import pytest
from redis import Redis

from infra.config import config
from infra.errors import TooMany, Unavailable
from infra.rate_limit import atomic_counters, sliding_window
from infra.rate_limit.atomic_counters import TrustMark, admit
from infra.rate_limit.sliding_window import Throttle

NOW = 1000.0


@pytest.fixture
def redis(redis_url):
    with Redis.from_url(redis_url) as client:
        yield client


def counter(key, limit=2, scope="login"):
    return Throttle(scope, key, limit, NOW)


def count_of(redis, key, scope="login"):
    return int(redis.get(counter(key, scope=scope).key) or 0)


def test_atomic_limit_refuses_beyond_it(redis):
    remaining = [admit([counter("a")], redis)["RateLimit-Remaining"] for _ in range(2)]
    assert remaining == ["1", "0"]
    for _ in range(3):
        with pytest.raises(TooMany):
            admit([counter("a")], redis)
    assert count_of(redis, "a") == 2


def test_window_before_counts_by_its_remaining_share(redis):
    redis.set(counter("a").previous_key, 6)  # a third of the limit: 2
    admit([counter("a", limit=3)], redis)
    with pytest.raises(TooMany):
        admit([counter("a", limit=3)], redis)


def test_refusal_by_one_counter_uses_up_no_other(redis):
    for _ in range(5):
        try:
            admit([counter("a", 2), counter("b", 9)], redis)
        except TooMany:
            continue
    assert (count_of(redis, "a"), count_of(redis, "b")) == (2, 2)


def test_headers_are_of_the_counter_with_the_least_left(redis):
    assert admit([counter("a", 9), counter("b", 3)], redis)["RateLimit-Limit"] == "3"


def test_marked_client_has_a_counter_of_its_own(redis):
    three = [counter("own"), counter("a"), counter("b")]
    admit(three, redis, mark=TrustMark("throttle:command:{login}:known:x", "here"))
    assert [count_of(redis, key) for key in ("own", "a", "b")] == [0, 1, 1]
    redis.zadd("throttle:command:{login}:known:x", {"here": NOW + 60, "there": NOW})
    for _ in range(2):
        admit(three, redis, mark=TrustMark("throttle:command:{login}:known:x", "here"))
    with pytest.raises(TooMany):
        admit(three, redis, mark=TrustMark("throttle:command:{login}:known:x", "here"))
    assert [count_of(redis, key) for key in ("own", "a", "b")] == [2, 1, 1]
    admit(
        three, redis, mark=TrustMark("throttle:command:{login}:known:x", "there")
    )  # its trust has ended
    assert [count_of(redis, key) for key in ("own", "a", "b")] == [2, 2, 2]


def test_concurrent_requests_do_not_exceed_the_limit(redis):
    barrier, passed = Barrier(16), []

    def ask():
        barrier.wait()
        for _ in range(5):
            try:
                admit([counter("a", 20)], redis)
            except TooMany:
                continue
            passed.append(1)

    threads = [Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(passed) == 20


def test_atomic_limit_takes_one_round_trip(redis, monkeypatch):
    sent, execute = [], Redis.execute_command

    def counted(*words, **more):
        sent.append(words)
        return execute(*words, **more)

    monkeypatch.setattr(Redis, "execute_command", counted)
    admit(
        [counter("a"), counter("b")],
        redis,
        mark=TrustMark("throttle:command:{login}:known:x", "here"),
    )
    assert len(sent) == 1


@pytest.mark.parametrize("scope", ["login", "account", "register"])
def test_without_redis_logins_are_refused(redis, scope):
    with Redis(port=1) as unreachable, pytest.raises(Unavailable) as refusal:
        admit([counter("a", scope=scope)], unreachable)
    assert refusal.value.headers == {"Retry-After": "1"}


@pytest.mark.parametrize("scope", ["refresh", "write", "import"])
def test_without_redis_other_scopes_pass_up_to_the_share_of_the_process(redis, scope):
    with Redis(port=1) as unreachable:
        remaining = [
            admit([counter("alone", scope=scope)], unreachable)["RateLimit-Remaining"]
            for _ in range(2)
        ]
        assert remaining == ["1", "0"]
        with pytest.raises(TooMany):
            admit([counter("alone", scope=scope)], unreachable)


def test_scopes_closed_without_redis_are_configurable(redis, monkeypatch):
    changed = msgspec.structs.replace(config(), throttle_closed="write")
    monkeypatch.setattr(sliding_window, "config", lambda: changed)
    with Redis(port=1) as unreachable:
        assert admit([counter("a", scope="login")], unreachable)["RateLimit-Limit"] == "2"
        with pytest.raises(Unavailable):
            admit([counter("a", scope="write")], unreachable)


@pytest.mark.parametrize("scope", ["login", "account", "register", "search"])
def test_closed_scopes_are_refused_while_redis_refuses_writes(redis, refusing, scope):
    with refusing(), pytest.raises(Unavailable):
        admit([counter("b", scope=scope)], redis)
    assert admit([counter("b", scope=scope)], redis)["RateLimit-Remaining"] == "1"


def test_unmarked_counters_count_where_the_mark_cannot_be_read(redis, monkeypatch):
    changed = msgspec.structs.replace(config(), throttle_closed="")
    monkeypatch.setattr(sliding_window, "config", lambda: changed)
    three = [counter("marked", 1), counter("address", 3), counter("name", 2)]
    mark = TrustMark("throttle:command:{login}:known:x", "here")
    with Redis(port=1) as unreachable:
        limits = [admit(three, unreachable, mark=mark)["RateLimit-Limit"] for _ in range(2)]
        assert limits == ["2", "2"]
        with pytest.raises(TooMany):
            admit(three, unreachable, mark=mark)


def test_rate_limits_can_be_switched_off(monkeypatch, redis):
    changed = msgspec.structs.replace(config(), throttle=False)
    monkeypatch.setattr(atomic_counters, "config", lambda: changed)
    assert [admit([counter("a", 1)], redis) for _ in range(3)] == [{}] * 3
