"""Read-through cache: single flight, versions, expiry and Redis away."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest
from prometheus_client import REGISTRY
from redis import Redis

from infra import clients
from query_api.caching import single_flight
from query_api.caching.read_through import (
    EMPTY_SECONDS,
    MAX_ENTRY_BYTES,
    CacheLookup,
    ReadThrough,
    lifetime_ms,
)
from query_api.caching.single_flight import SingleFlightLock

MANY = 200
NOW, LATER = b"1", b"2"

numbers = ReadThrough("pages", int, seconds=30.0, is_empty=lambda number: number == 0)
KEY = numbers.key(1, "how many")


@pytest.fixture
def redis(redis_url):
    """A Redis with an empty cache."""
    with Redis.from_url(redis_url) as connected:
        yield connected
    clients.redis().connection_pool.disconnect()


@pytest.fixture
def ask(redis):
    """Ask as a view does: the cached entry was read in an earlier round trip."""

    def ask(load, *, cache=numbers, stamp=NOW):
        return cache.get(CacheLookup(KEY, stamp, redis.get(KEY)), load)

    return ask


class Loading:
    """A loader that counts its calls."""

    def __init__(self, answer=7):
        self.answer = answer
        self.times = 0

    def __call__(self):
        self.times += 1
        return self.answer


def fail():
    raise LookupError("away")


def outcomes():
    """Counts of each outcome."""
    names = ("hit", "waited", "loaded", "late", "unkept", "failed")
    return {
        name: REGISTRY.get_sample_value("marquee_cache_total", {"cache": "pages", "outcome": name})
        or 0.0
        for name in names
    }


@pytest.fixture
def counted():
    """Counts since the start of the test."""
    before = outcomes()
    return lambda: {
        name: number - before[name] for name, number in outcomes().items() if number > before[name]
    }


def test_first_request_loads_and_later_ones_hit(ask, counted):
    loading = Loading()
    assert [ask(loading) for _ in range(3)] == [7, 7, 7]
    assert loading.times == 1
    assert counted() == {"loaded": 1, "hit": 2}


def test_two_hundred_concurrent_requests_load_once(redis, counted, monkeypatch):
    monkeypatch.setattr(single_flight, "LEASE_SECONDS", 60.0)  # this machine may be slow
    monkeypatch.setattr(single_flight, "PATIENCE_SECONDS", 60.0)
    together, asked_by_all = Barrier(MANY), Event()
    loading = Loading()

    def load():
        assert asked_by_all.wait(60)
        return loading()

    def ask(_):
        lookup = CacheLookup(KEY, NOW, redis.get(KEY))
        if together.wait(60) == 0:
            asked_by_all.set()
        return numbers.get(lookup, load)

    with ThreadPoolExecutor(MANY) as threads:
        assert list(threads.map(ask, range(MANY))) == [7] * MANY
    assert loading.times == 1
    assert counted() == {"loaded": 1, "waited": MANY - 1}
    assert redis.keys() == [KEY.encode()]


ANOTHER_PROCESS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from redis import Redis
from query_api.caching import single_flight
from query_api.caching.read_through import CacheLookup, ReadThrough

single_flight.LEASE_SECONDS = single_flight.PATIENCE_SECONDS = 60.0
key, many, redis = sys.argv[1], int(sys.argv[2]), Redis.from_url(sys.argv[3])
numbers = ReadThrough("pages", int, seconds=30.0, is_empty=lambda number: number == 0)

def load():
    return redis.incr("cache:loads")

print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(many) as threads:
    print(set(threads.map(lambda _: numbers.get(CacheLookup(key, b"1", None), load), range(many))))
"""


def test_two_processes_load_once(redis, redis_url, monkeypatch):
    monkeypatch.setattr(single_flight, "LEASE_SECONDS", 60.0)
    monkeypatch.setattr(single_flight, "PATIENCE_SECONDS", 60.0)
    command = [sys.executable, "-c", ANOTHER_PROCESS, KEY, "20", redis_url]
    other: Any = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ
    )
    try:
        assert other.stdout.readline() == "ready\n"
        other.stdin.write("go\n")
        other.stdin.flush()
        lookup = CacheLookup(KEY, NOW, None)
        with ThreadPoolExecutor(20) as threads:
            results = set(
                threads.map(
                    lambda _: numbers.get(lookup, lambda: redis.incr("cache:loads")), range(20)
                )
            )
        output = other.communicate(timeout=60)[0]
    finally:
        other.kill()
        other.wait()
    assert (results, output) == ({1}, "{1}\n")
    assert redis.get("cache:loads") == b"1"


def test_entry_of_another_version_is_loaded_again(ask):
    assert ask(Loading(7)) == 7
    assert ask(Loading(8), stamp=LATER) == 8
    assert ask(fail, stamp=LATER) == 8


def test_without_version_nothing_is_cached(ask, redis, counted):
    assert [ask(Loading(n), stamp=None) for n in (7, 8)] == [7, 8]
    assert redis.keys() == []
    assert counted() == {"unkept": 2}


def test_empty_value_is_cached_briefly(ask, redis):
    ask(Loading(0))
    assert 0 < redis.pttl(KEY) <= 1000 * EMPTY_SECONDS
    ask(Loading(7), stamp=LATER)
    assert redis.pttl(KEY) > 1000 * EMPTY_SECONDS


@pytest.mark.parametrize(
    ("jitter", "milliseconds"), [(0.0, 8000), (0.5, 9000), (1.0, 10_000)], ids=str
)
def test_entries_loaded_together_expire_apart(jitter, milliseconds):
    assert lifetime_ms(10.0, jitter) == milliseconds


def test_failed_load_is_not_cached_and_releases_the_lock(ask, redis, counted):
    for _ in range(2):
        with pytest.raises(LookupError):
            ask(fail)
    assert redis.keys() == []
    assert ask(Loading(7)) == 7
    assert counted() == {"failed": 2, "loaded": 1}


def test_waiting_request_loads_after_a_failed_load(ask):
    """The second request waits while the first one loads."""
    started, waiting = Event(), Event()

    def fail_late():
        started.set()
        assert waiting.wait(60)
        fail()

    def wait():
        assert started.wait(60)
        waiting.set()
        return ask(Loading(7))

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.submit(ask, fail_late), threads.submit(wait)
        assert second.result(60) == 7
        with pytest.raises(LookupError):
            first.result(60)


def test_lock_of_dead_owner_expires(ask, redis, monkeypatch):
    monkeypatch.setattr(single_flight, "PATIENCE_SECONDS", 60.0)
    redis.set(f"{KEY}:turn", "of the dead", px=50)
    assert ask(Loading(7)) == 7


def test_request_that_waited_too_long_loads_and_keeps_the_others_lock(
    ask, redis, monkeypatch, counted
):
    monkeypatch.setattr(single_flight, "PATIENCE_SECONDS", 0.05)
    redis.set(f"{KEY}:turn", "of another", ex=60)
    loading = Loading(7)
    assert [ask(loading) for _ in range(2)] == [7, 7]
    assert loading.times == 1
    assert redis.get(f"{KEY}:turn") == b"of another"
    assert counted() == {"late": 1, "hit": 1}


def test_late_owner_does_not_release_the_next_owners_lock(redis):
    lock = SingleFlightLock(KEY)
    assert lock.wait(lambda _: None) is None
    assert lock.is_leader
    redis.set(f"{KEY}:turn", "of another")
    assert lock.publish(b"x", 1000)
    assert redis.get(f"{KEY}:turn") == b"of another"


def test_large_value_is_not_cached(ask, redis):
    texts = ReadThrough("pages", str, seconds=30.0, is_empty=lambda text: not text)
    assert len(ask(Loading("x" * MAX_ENTRY_BYTES), cache=texts)) == MAX_ENTRY_BYTES
    assert redis.keys() == []


@pytest.mark.parametrize("entry", [b"", b"\xc1", b"\x92\xc4\x011\xa3abc"], ids=str)
def test_entry_in_unknown_format_is_loaded_again(ask, redis, entry):
    redis.set(KEY, entry)
    assert ask(Loading(7)) == 7
    assert ask(fail) == 7


@pytest.fixture(params=["nobody there", "may not write"])
def unavailable_url(request, redis, redis_url):
    """URL of a Redis that cannot cache: unreachable or read-only."""
    if request.param == "nobody there":
        yield "redis://127.0.0.1:1"
        return
    redis.acl_setuser("reader", reset=True, enabled=True, nopass=True, commands=["+@read"])
    yield redis_url.replace("redis://", "redis://reader:x@")
    redis.acl_deluser("reader")


def test_every_request_loads_when_redis_cannot_cache(unavailable_url, monkeypatch, counted):
    """The request succeeds, whatever the reason."""
    with Redis.from_url(unavailable_url, socket_connect_timeout=1) as unavailable_redis:
        monkeypatch.setattr(clients, "cache_redis", lambda: unavailable_redis)
        loading = Loading(7)
        lookup = CacheLookup(KEY, NOW, None)
        assert [numbers.get(lookup, loading) for _ in range(2)] == [7, 7]
    assert loading.times == 2
    assert counted() == {"unkept": 2}


def test_cache_key_has_fixed_length():
    keys = {numbers.key(3, question) for question in ("", "x" * 10_000, "y")}
    assert len(keys) == 3
    assert {len(key) for key in keys} == {len(KEY)}
    assert all(key.startswith("cache:{pages.3.") for key in keys)
