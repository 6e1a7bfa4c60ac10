"""Latency of hot reads, compared with an empty view and a raw Redis GET of the same bytes.

And how long does a page of the index take that somebody asked for before, beside the same one when
nobody did?
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
ASKS = 300
GATE = 1.5
KEPT_GATE = 0.5
GROUP = "query"
_MODE = " | "
"""In a row's name, between what is asked for and the mode."""


def rows(stage: Stage) -> Iterable[Measurement]:
    """What people ask for all the time, at one connection."""
    mine = stage.person.headers
    yield _row(stage, "card", "/v1/movies/23901", {})
    yield _row(stage, "trending", "/v1/trending?window=week", {})
    yield _row(stage, "recommendations", "/v1/me/recommendations", mine)
    yield _row(stage, "suggestions", "/v1/suggestions?q=godf", {})
    # A slip is looked for at every place of the first word: it may be any of 680 others.
    yield _row(stage, "suggestions, a typo", "/v1/suggestions?q=godftaher", {}, is_hot=False)
    # Twenty cards, each with the ratings of this moment, are put together for every answer.
    yield _row(stage, "similar", "/v1/movies/23901/similar", {}, is_hot=False)
    yield _kept_row(stage, "/v1/search?q=the+godfather")


def side_by_side(rows: Sequence[Measurement]) -> list[Measurement]:
    """All rows, what was measured in both modes in neighbouring lines that say how far apart."""
    others = [row for row in rows if row.group != GROUP]
    ours = [row for row in rows if row.group == GROUP]
    first = {_what(row): row for row in reversed(ours)}
    pairs = [row for what in dict.fromkeys(map(_what, ours)) for row in ours if _what(row) == what]
    return others + [
        row if row is first[_what(row)] else _compared(row, first[_what(row)]) for row in pairs
    ]


def _what(row: Measurement) -> str:
    return row.name.partition(_MODE)[0]


def _compared(row: Measurement, first: Measurement) -> Measurement:
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


def _kept_row(stage: Stage, path: str) -> Measurement:
    """A client of Python's on both sides: what is loaded must be forgotten before each ask."""
    address = urlsplit(stage.platform.query_url).netloc
    with closing(HTTPConnection(address)) as client, Redis.from_url(stage.redis_url) as redis:
        size = len(_ask(client, path))
        keys = list(redis.scan_iter("cache:{pages.*", count=10_000))
        turns = in_turn(
            lambda: _asks_us(client, path, lambda: None),
            lambda: _asks_us(client, path, lambda: redis.delete(*keys)),
        )
    return Measurement(
        group=GROUP,
        name=f"GET search, kept{_MODE}{stage.mode}, 1 connection, {size:,} bytes",
        measured=turns.measured,
        unit="us median",
        calibration="the same, out of the index",
        calibrated=turns.calibrated,
        gate=KEPT_GATE if stage.mode == "native" else None,
        sense="at_most",
        spread=turns.spread,
    )


def _asks_us(client: HTTPConnection, path: str, before: Callable[[], object]) -> float:
    took = []
    for _ in range(ASKS):
        before()
        began = time.perf_counter_ns()
        _ask(client, path)
        took.append(time.perf_counter_ns() - began)
    return median(took) / 1000


def _ask(client: HTTPConnection, path: str) -> bytes:
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
