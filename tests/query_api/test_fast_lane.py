"""Fast lane: the same answers as Django's, and what is left to Django."""

from datetime import timedelta
from io import BytesIO

import msgspec
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

from events.catalogue import SessionsRevoked
from infra import wsgi
from infra.config import config
from infra.http.security_headers import SecurityHeaders
from infra.rate_limit import sliding_window
from projectors.generations.live import GENERATIONS_KEY
from query_api.fast_lane import FastLane, answer
from query_api.http.request import live
from tests.fixtures.position_header import encode_positions
from tests.query_api.conftest import ALIEN, AMELIE, ANN, BOB, HEAT, UNKNOWN


@pytest.fixture(autouse=True)
def activity(world):
    """Ratings that make movies trend and give Ann recommendations."""
    for user, movie in ((BOB, HEAT), (BOB, ALIEN), (ANN, HEAT)):
        world.rate(user, movie, 9)
    world.rate(BOB, AMELIE, 9, ago=timedelta(days=3))
    world.build()
    world.build()


def environ(path, headers=None, method="GET"):
    request = RequestFactory().generic(method, path, headers=headers or {})
    return dict(request.environ) | {"wsgi.input": BytesIO()}


def ask(application, path, headers=None, method="GET"):
    """Status line, headers and body as a WSGI server gets them."""
    started = []
    body = application(environ(path, headers, method), lambda *line: started.extend(line))
    return started[0], dict(started[1]), b"".join(body)


CHANGES = {"RateLimit-Remaining", "RateLimit-Reset", "Log-Age"}


def with_placeholders(headers):
    """Headers with a placeholder for numbers that change between requests or seconds."""
    return {
        name: "a number" if name in CHANGES and value.isdigit() else value
        for name, value in headers.items()
    }


FAST_LANE_PATHS = [
    f"/v1/movies/{ALIEN}",
    "/v1/trending",
    "/v1/trending?window=week",
    "/v1/trending?genre=Drama",
    "/v1/trending?limit=20",
    "/v1/me/recommendations",
    f"/v1/movies/{ALIEN}/similar",
    f"/v1/movies/{ALIEN}/similar?limit=5",
    "/v1/suggestions?q=a",
    "/v1/suggestions?q=amel",
    "/v1/suggestions?q=alein",
]


@pytest.mark.parametrize("path", FAST_LANE_PATHS)
def test_fast_lane_answers_as_django_does(path, log_in):
    headers = log_in(ANN)
    assert answer(environ(path, headers)) is not None
    lane, django = FastLane(WSGIHandler()), WSGIHandler()
    first, second = ask(lane, path, headers), ask(django, path, headers)
    assert first[0] == second[0] == "200 OK"
    assert with_placeholders(first[1]) == with_placeholders(second[1])
    assert first[2] == second[2]
    conditional = {**headers, "If-None-Match": first[1]["ETag"]}
    third, fourth = ask(lane, path, conditional), ask(django, path, conditional)
    assert third[0] == fourth[0] == "304 Not Modified"
    assert with_placeholders(third[1]) == with_placeholders(fourth[1])
    assert third[2] == fourth[2] == b""


@pytest.mark.parametrize(
    "path",
    [
        f"/v1/movies/{UNKNOWN}",
        f"/v1/movies/{ALIEN}?x=1",
        f"/v1/movies/{ALIEN}/",
        f"/v1/movies/{UNKNOWN}/similar",
        f"/v1/movies/{ALIEN}/similar?limit=0",
        "/v1/suggestions",
        "/v1/trending?window=month",
        "/v1/trending?limit=5",
        "/v1/trending?genre=Nothing",
        "/v1/genres",
        "/health/live",
        "/nowhere",
    ],
)
def test_fast_lane_leaves_other_requests_to_django(path):
    assert answer(environ(path)) is None
    lane, django = FastLane(WSGIHandler()), WSGIHandler()
    first, second = ask(lane, path), ask(django, path)
    assert (first[0], with_placeholders(first[1]), first[2]) == (
        second[0],
        with_placeholders(second[1]),
        second[2],
    )


@pytest.mark.parametrize("path", FAST_LANE_PATHS)
def test_refused_caller_gets_no_fast_answer(path, world, log_in):
    old = log_in(ANN)
    world.apply_event(SessionsRevoked(user_id=ANN, epoch=1), ANN)
    for headers in (old, {"Authorization": "Bearer x.y.z"}):
        assert answer(environ(path, headers)) is None
        assert ask(FastLane(WSGIHandler()), path, headers)[0] == "401 Unauthorized"
    assert answer(environ("/v1/me/recommendations")) is None


@pytest.mark.parametrize("path", FAST_LANE_PATHS)
def test_waiting_and_writing_requests_are_left_to_django(path, world, log_in):
    headers = log_in(ANN)
    position = {"Log-Position": encode_positions([world.rate(BOB, UNKNOWN, 9)])}
    assert answer(environ(path, headers | position)) is None
    assert answer(environ(path, headers, method="HEAD")) is None
    assert answer(environ(path, headers, method="POST")) is None


@pytest.mark.parametrize("path", FAST_LANE_PATHS)
def test_as_of_requests_are_left_to_django(path, log_in):
    for headers in (log_in(ANN, is_staff=True), log_in(ANN)):
        for label in ("then", ""):
            assert answer(environ(path, headers | {"As-Of": label})) is None
    first = ask(FastLane(WSGIHandler()), path, log_in(ANN, is_staff=True) | {"As-Of": "then"})
    assert first[0] == "404 Not Found"


@pytest.mark.parametrize("path", FAST_LANE_PATHS)
def test_fast_lane_is_empty_while_a_model_is_built(path, redis):
    redis.delete(GENERATIONS_KEY)
    live.cache_clear()
    assert answer(environ(path)) is None


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/v1/movies/{ALIEN}", "200 OK"),
        (f"/v1/movies/{UNKNOWN}", "404 Not Found"),
        (f"/v1/movies/{UNKNOWN}/similar", "404 Not Found"),
    ],
)
def test_request_counts_once_in_fast_lane_and_django(path, status, redis, log_in):
    assert ask(FastLane(WSGIHandler()), path, log_in(ANN))[0] == status
    counts = [int(redis.get(key)) for key in redis.keys("throttle:query:{read:*")]
    assert counts == [1]


def test_request_beyond_the_limit_counts_once(redis, log_in, monkeypatch):
    changed = msgspec.structs.replace(config(), throttle_user_per_minute=1)
    monkeypatch.setattr(sliding_window, "config", lambda: changed)
    statuses = [
        ask(FastLane(WSGIHandler()), f"/v1/movies/{ALIEN}", log_in(ANN))[0] for _ in range(4)
    ]
    assert statuses[0] == "200 OK"
    assert "429 Too Many Requests" in statuses
    assert sum(int(redis.get(key)) for key in redis.keys("throttle:query:{read:*")) == 4


def test_wsgi_application_has_fast_lane():
    assert isinstance(wsgi.application, SecurityHeaders)
    assert isinstance(wsgi.application.application, FastLane)


@pytest.mark.parametrize(
    "path", [*FAST_LANE_PATHS, "/v1/genres", "/nowhere", "/v1/trending?window=month"]
)
def test_every_response_has_security_headers_once(path, log_in):
    for headers in (log_in(ANN), {"Authorization": "Bearer x.y.z"}, {"As-Of": ""}):
        names = sent(environ(path, headers))
        assert len({name.lower() for name, _ in names}) == len(names)
        assert dict(names)["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in dict(names)["Content-Security-Policy"]


def sent(request_environ):
    """Headers as the server receives them."""
    sent_headers: list[tuple[str, str]] = []
    wsgi.application(request_environ, lambda _status, headers, _fault: sent_headers.extend(headers))
    return sent_headers
