"""How long does a hot read take, beside an empty view and one raw GET of the same bytes?"""

import time
from collections.abc import Callable, Iterable, Mapping
from statistics import median

import httpx
from redis import Redis

from benchmarks.load import wrk
from benchmarks.row import Row
from benchmarks.stage import Stage
from benchmarks.turns import in_turn

SECONDS = 4
GETS = 5000
GATE = 1.5


def rows(stage: Stage) -> Iterable[Row]:
    """Card, trending and recommendations at one connection."""
    mine = stage.person.headers
    yield _row(stage, "card", "/v1/movies/23901", {})
    yield _row(stage, "trending", "/v1/trending?window=week", {})
    yield _row(stage, "recommendations", "/v1/me/recommendations", mine)


def _row(stage: Stage, what: str, path: str, headers: Mapping[str, str]) -> Row:
    url = stage.platform.query_url + path
    answer = httpx.get(url, headers=dict(headers)).raise_for_status()
    turns = in_turn(lambda: _median_us(url, headers), _bare_us(stage, answer.content))
    return Row(
        group="query",
        name=f"GET {what}, {stage.mode}, 1 connection, {len(answer.content):,} bytes",
        measured=turns.measured,
        unit="us median",
        calibration="empty Django view + raw Redis GET",
        calibrated=turns.calibrated,
        gate=GATE if stage.mode == "native" else None,
        sense="at_most",
        spread=turns.spread,
    )


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
