"""Latency of hot reads, compared with an empty view and a raw Redis GET of the same bytes.

A cached search page is compared with the same page read from the index.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection
from statistics import median
from urllib.parse import urlsplit

import httpx
import msgspec
from redis import Redis

from benchmarks.http_load import LoadFailed, wrk
from benchmarks.measurement import Measurement
from benchmarks.stage import Stage
from benchmarks.turns import in_turn

SECONDS = 4
GETS = 5000
REQUESTS = 300
GATE = 1.5
CACHED_GATE = 0.5
GROUP = "query"
_MODE = " | "
"""In a row's name, separates the request from the mode."""


def rows(stage: Stage) -> Iterable[Measurement]:
    """Latency of the most frequent reads, on one connection."""
    headers = stage.person.headers
    yield _row(stage, "card", "/v1/movies/23901", {})
    yield _row(stage, "trending", "/v1/trending?window=week", {})
    yield _row(stage, "recommendations", "/v1/me/recommendations", headers)
    yield _row(stage, "suggestions", "/v1/suggestions?q=godf", {})
    # A typo may be at any place of the first word: 680 variants are looked up.
    yield _row(stage, "suggestions, a typo", "/v1/suggestions?q=godftaher", {}, is_hot=False)
    # Twenty cards with their current ratings are composed for each response.
    yield _row(stage, "similar", "/v1/movies/23901/similar", {}, is_hot=False)
    yield _cached_row(stage, "/v1/search?q=the+godfather")


def side_by_side(rows: Sequence[Measurement]) -> list[Measurement]:
    """Put the rows of both modes beside each other; the second notes its ratio to the first."""
    other_rows = [row for row in rows if row.group != GROUP]
    reads = [row for row in rows if row.group == GROUP]
    by_request: dict[str, list[Measurement]] = {}
    for row in reads:
        by_request.setdefault(row.name.partition(_MODE)[0], []).append(row)
    return other_rows + [
        row if row is first else _with_ratio_to(first, row)
        for first, *rest in by_request.values()
        for row in (first, *rest)
    ]


def _with_ratio_to(first: Measurement, row: Measurement) -> Measurement:
    return msgspec.structs.replace(row, note=f"{row.measured / first.measured:.2f} x native")


def _row(
    stage: Stage, what: str, path: str, headers: Mapping[str, str], *, is_hot: bool = True
) -> Measurement:
    url = stage.platform.query_url + path
    answer = httpx.get(url, headers=dict(headers)).raise_for_status()
    turns = in_turn(lambda: _median_us(url, headers), _bare_us(stage, answer.content))
    return Measurement(
        group=GROUP,
        name=f"GET {what}{_MODE}{stage.mode}, 1 connection, {len(answer.content):,} bytes",
        measured=turns.measured,
        unit="us median",
        calibration="empty Django view + raw Redis GET",
        calibrated=turns.calibrated,
        gate=GATE if is_hot and stage.mode == "native" else None,
        sense="at_most",
        spread=turns.spread,
    )


def _cached_row(stage: Stage, path: str) -> Measurement:
    """A Python client on both sides: it deletes the cached page before each uncached request."""
    address = urlsplit(stage.platform.query_url).netloc
    with closing(HTTPConnection(address)) as client, Redis.from_url(stage.redis_url) as redis:
        size = len(_request(client, path))
        keys = list(redis.scan_iter("cache:{pages.*", count=10_000))
        turns = in_turn(
            lambda: _median_request_us(client, path, lambda: None),
            lambda: _median_request_us(client, path, lambda: redis.delete(*keys)),
        )
    return Measurement(
        group=GROUP,
        name=f"GET search, kept{_MODE}{stage.mode}, 1 connection, {size:,} bytes",
        measured=turns.measured,
        unit="us median",
        calibration="the same, out of the index",
        calibrated=turns.calibrated,
        gate=CACHED_GATE if stage.mode == "native" else None,
        sense="at_most",
        spread=turns.spread,
    )


def _median_request_us(client: HTTPConnection, path: str, before: Callable[[], object]) -> float:
    took = []
    for _ in range(REQUESTS):
        before()
        began = time.perf_counter_ns()
        _request(client, path)
        took.append(time.perf_counter_ns() - began)
    return median(took) / 1000


def _request(client: HTTPConnection, path: str) -> bytes:
    client.request("GET", path)
    answer = client.getresponse()
    content = answer.read()
    if answer.status != HTTPStatus.OK:
        raise LoadFailed(f"{path}: {content.decode()}")
    return content


def _median_us(url: str, headers: Mapping[str, str]) -> float:
    return wrk(url, connections=1, seconds=SECONDS, headers=headers).median_us


def _bare_us(stage: Stage, content: bytes) -> Callable[[], float]:
    redis: Redis = Redis.from_url(stage.redis_url)
    redis.set("cache:bench", content)

    def measure() -> float:
        return _median_us(f"{stage.bare_url}/empty", {}) + _get_us(redis)

    return measure


def _get_us(redis: Redis) -> float:
    took = []
    for _ in range(GETS):
        began = time.perf_counter_ns()
        redis.get("cache:bench")
        took.append(time.perf_counter_ns() - began)
    return median(took) / 1000
