"""Reads while Redis refuses writes: answered and counted by the process; searches are refused."""

from itertools import count

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

from infra.config import config
from query_api import fast_lane
from query_api.fast_lane import FastLane
from tests.query_api.conftest import ALIEN, ANN

READS = (
    f"/v1/movies/{ALIEN}",
    f"/v1/movies/{ALIEN}/details",
    f"/v1/movies/{ALIEN}/similar",
    "/v1/trending",
    "/v1/genres",
    "/v1/playlists",
    "/v1/me",
    "/v1/me/ratings",
    "/v1/me/favourites",
    "/v1/me/hidden",
    "/v1/me/playlists",
    "/v1/me/recommendations",
)
SEARCHES = ("/v1/search?q=alien", "/v1/discover")


_numbers = count(1)


@pytest.fixture
def address():
    """A client's address that no other test has: the process's counts are not reset."""
    return f"192.0.2.{next(_numbers)}"


@pytest.fixture
def limits(monkeypatch):
    """Sets limits for the test."""

    def set_limits(**values):
        for name, value in values.items():
            monkeypatch.setenv(f"MARQUEE_{name.upper()}", value)
        config.cache_clear()

    yield set_limits
    monkeypatch.undo()
    config.cache_clear()


def test_reads_are_answered_and_searches_refused(client, flush, log_in, refusing):
    headers = log_in(ANN)
    with refusing():
        for path in READS:
            answer = client.get(path, headers=headers)
            assert answer.status_code == 200, (path, answer.content)
            assert int(answer["RateLimit-Remaining"]) < int(answer["RateLimit-Limit"])
        for path in SEARCHES:
            answer = client.get(path, headers=headers)
            assert (answer.status_code, answer["Retry-After"]) == (503, "1"), path
            assert answer["Content-Type"] == "application/problem+json"
    for path in (*READS, *SEARCHES):
        assert client.get(path, headers=headers).status_code == 200


def test_process_counts_its_share_of_the_limit(client, world, limits, refusing, address):
    limits(throttle_anonymous_per_minute="6", server_processes="2")
    with refusing():
        statuses = [client.get("/v1/genres", REMOTE_ADDR=address).status_code for _ in range(5)]
        assert statuses[:3] == [200] * 3
        assert 429 in statuses[3:]  # a new minute may begin meanwhile, but not twice
        answer = client.get("/v1/genres", REMOTE_ADDR=f"198.51.100.{next(_numbers)}")
        assert (answer.status_code, answer["RateLimit-Limit"]) == (200, "3")
    assert client.get("/v1/genres", REMOTE_ADDR=address)["RateLimit-Limit"] == "6"


def test_fast_lane_answers_while_redis_refuses_writes(world, refusing):
    environ = RequestFactory().get(f"/v1/movies/{ALIEN}").environ
    with refusing():
        rendered = fast_lane.answer(dict(environ))
    assert rendered is not None
    assert rendered.status == 200


def test_request_counts_once_in_fast_lane_and_django(world, limits, refusing, address):
    limits(throttle_anonymous_per_minute="5")
    unknown = RequestFactory(REMOTE_ADDR=address).get("/v1/movies/99").environ
    headers: dict[str, str] = {}
    with refusing():
        FastLane(WSGIHandler())(dict(unknown), lambda _status, given: headers.update(given))
    assert headers["RateLimit-Remaining"] == "4"


def test_invalid_tokens_are_counted_by_the_process(client, world, limits, refusing, address):
    limits(throttle_anonymous_per_minute="3")
    forged = {"Authorization": "Bearer forged"}
    with refusing():
        statuses = [
            client.get("/v1/me", headers=forged, REMOTE_ADDR=address).status_code for _ in range(8)
        ]
    assert statuses[:3] == [401] * 3
    assert 429 in statuses[3:]


def test_query_api_stays_ready(client, flush, refusing):
    with refusing():
        assert client.get("/health/ready").json()["needs"]["redis"] == "ok"
