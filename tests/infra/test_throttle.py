"""Is too often noticed, and who is it counted for?"""

import msgspec
import pytest
from redis import Redis

from infra import throttle
from infra.config import config
from infra.refused import TooMany
from infra.throttle import Throttle, address


@pytest.fixture
def trust(monkeypatch):
    def trust(proxies):
        changed = msgspec.structs.replace(config(), trusted_proxies=proxies)
        monkeypatch.setattr(throttle, "config", lambda: changed)

    return trust


def test_beyond_the_limit(redis_url):
    with Redis.from_url(redis_url) as redis:
        counter = Throttle("user", "ann", limit=2, now=1000.0)
        assert counter.check(redis) == {
            "RateLimit-Limit": "2",
            "RateLimit-Remaining": "1",
            "RateLimit-Reset": "20",
        }
        assert counter.check(redis)["RateLimit-Remaining"] == "0"
        with pytest.raises(TooMany) as refusal:
            counter.check(redis)
        assert refusal.value.headers == {
            "Retry-After": "20",
            "RateLimit-Limit": "2",
            "RateLimit-Remaining": "0",
            "RateLimit-Reset": "20",
        }


def test_others_and_later_minutes_are_counted_apart(redis_url):
    with Redis.from_url(redis_url) as redis:
        for who, now in (("ann", 1000.0), ("bob", 1000.0), ("ann", 1020.0)):
            assert Throttle("user", who, 1, now).check(redis)["RateLimit-Remaining"] == "0"
        assert Throttle("login", "ann", 1, 1000.0).check(redis)["RateLimit-Remaining"] == "0"


def test_counters_do_not_stay(redis_url):
    with Redis.from_url(redis_url) as redis:
        Throttle("user", "ann", 1, 1000.0).check(redis)
        [key] = redis.keys("throttle:*")
        assert 60 <= redis.ttl(key) <= 120


def test_without_redis_everybody_passes(redis_url):
    port = int(redis_url.rpartition(":")[2].partition("/")[0])
    with Redis(port=1 if port != 1 else 2) as away:
        assert Throttle("user", "ann", 1, 1000.0).check(away) == {}


@pytest.mark.parametrize(
    ("proxies", "forwarded", "found"),
    [
        (0, "9.9.9.9", "10.0.0.1"),
        (1, "1.1.1.1, 9.9.9.9", "9.9.9.9"),
        (2, "1.1.1.1, 9.9.9.9, 8.8.8.8", "9.9.9.9"),
        (2, "9.9.9.9", "10.0.0.1"),
        (1, "nonsense", "unknown"),
    ],
)
def test_forwarded_addresses_are_believed_as_far_as_ours(trust, proxies, forwarded, found):
    trust(proxies)
    meta = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": forwarded}
    assert address(meta) == found


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::", "2001:db8:1:2::"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("", "unknown"),
    ],
)
def test_one_customer_is_one_address(given, found):
    assert address({"REMOTE_ADDR": given}) == found
