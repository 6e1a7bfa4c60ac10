"""Local counters: limits of a process that syncs with Redis now and then."""

from threading import Thread
from time import time
from uuid import uuid4

import pytest
from redis import Redis

from infra.errors import TooMany
from infra.rate_limit.sliding_window import LocalCounters, Throttle

LIMIT = 200
UNSYNCED_REQUESTS = LIMIT // 50


@pytest.fixture
def redis(redis_url):
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def ann():
    return Throttle("write", "ann", LIMIT, time())


def counted_in_redis(redis, throttle):
    return int(redis.get(throttle.key) or 0)


def test_local_counter_syncs_now_and_then(redis, ann):
    counters = LocalCounters()
    remaining = [int(counters.check(ann, redis)["RateLimit-Remaining"]) for _ in range(20)]
    assert remaining == list(range(LIMIT - 1, LIMIT - 21, -1))
    assert 20 - UNSYNCED_REQUESTS < counted_in_redis(redis, ann) <= 20


def test_one_process_keeps_the_limit_exactly(redis, ann):
    counters = LocalCounters()
    for _ in range(LIMIT):
        counters.check(ann, redis)
    with pytest.raises(TooMany):
        counters.check(ann, redis)
    assert counted_in_redis(redis, ann) == LIMIT + 1


def test_two_processes_exceed_the_limit_by_less_than_a_part_each(redis, ann):
    processes = [LocalCounters(), LocalCounters()]
    accepted = next(nth for nth in range(2 * LIMIT) if is_refused(processes[nth % 2], ann, redis))
    assert LIMIT <= accepted <= LIMIT + 2 * UNSYNCED_REQUESTS


def is_refused(counters, throttle, redis):
    try:
        counters.check(throttle, redis)
    except TooMany:
        return True
    return False


def test_small_limit_is_synced_at_each_request(redis):
    guess = Throttle("login", "127.0.0.1", 10, time())
    counters = LocalCounters()
    for nth in range(1, 11):
        counters.check(guess, redis)
        assert counted_in_redis(redis, guess) == nth


def test_concurrent_threads_lose_no_count(redis, ann):
    counters = LocalCounters()
    wide = Throttle("write", "ann", 100_000, ann.now)

    def ask():
        for _ in range(500):
            counters.check(wide, redis)

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    [count] = counters._counts.values()
    assert counted_in_redis(redis, wide) + count.unsynced == 2000


def test_without_redis_commands_pass_up_to_the_share_of_the_process(redis_url):
    alone = Throttle("write", "alone", 3, time())
    with Redis(port=1) as nowhere:
        counters = LocalCounters()
        remaining = [counters.check(alone, nowhere)["RateLimit-Remaining"] for _ in range(3)]
        assert remaining == ["2", "1", "0"]
        with pytest.raises(TooMany):
            counters.check(alone, nowhere)


def test_commands_are_counted_by_the_process_while_redis_refuses_writes(redis, refusing):
    counters, eve = LocalCounters(), Throttle("write", f"eve-{uuid4()}", 3, time())
    with refusing():
        remaining = [counters.check(eve, redis)["RateLimit-Remaining"] for _ in range(3)]
        assert remaining == ["2", "1", "0"]
        with pytest.raises(TooMany):
            counters.check(eve, redis)
    assert counters.check(eve, redis)["RateLimit-Remaining"] == "2"
