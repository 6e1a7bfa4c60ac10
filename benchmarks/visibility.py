"""Delay from an accepted write until a read shows it."""

import time
from collections.abc import Callable, Iterable
from statistics import median
from typing import Any

import httpx

from benchmarks.measurement import Measurement
from benchmarks.stage import Stage
from benchmarks.users import register

WRITES = 40
SEARCH_WRITES = 10
PATIENCE_SECONDS = 10.0


def rows(stage: Stage) -> Iterable[Measurement]:
    """Delay from the response to PUT rating until a read without Log-Position shows it."""
    command = httpx.Client(base_url=stage.platform.command_url, timeout=30)
    query = httpx.Client(base_url=stage.platform.query_url, timeout=30)
    read_ms = median(_timed(lambda: query.get("/v1/movies/23901")) for _ in range(100)) * 1000
    for what, writes, measure in (
        ("card", WRITES, _on_card),
        ("my ratings", WRITES, _in_my_ratings),
        ("recommendations", WRITES, _gone_from_recommendations),
        ("search", SEARCH_WRITES, _in_search),
    ):
        took = [measure(stage, command, query, nth) for nth in range(writes)]
        yield Measurement(
            group="visibility",
            name=f"accepted rating to visible in {what}, median of {writes}",
            measured=median(took) * 1000,
            unit="ms",
            calibration="one read of a card",
            calibrated=read_ms,
            note=f"slowest {max(took) * 1000:.0f} ms",
        )


def _on_card(stage: Stage, command: httpx.Client, query: httpx.Client, nth: int) -> float:
    movie = 20_000 + nth
    count = _get(query, f"/v1/movies/{movie}")["community"]["count"]
    _rate(command, movie, dict(stage.person.headers))
    return _until(lambda: bool(_get(query, f"/v1/movies/{movie}")["community"]["count"] > count))


def _in_my_ratings(stage: Stage, command: httpx.Client, query: httpx.Client, nth: int) -> float:
    movie = 21_000 + nth
    headers = dict(stage.person.headers)
    _rate(command, movie, headers)
    return _until(
        lambda: movie in [item["id"] for item in _get(query, "/v1/me/ratings", headers)["items"]]
    )


def _gone_from_recommendations(
    stage: Stage, command: httpx.Client, query: httpx.Client, _nth: int
) -> float:
    headers = dict(register(stage.platform).headers)
    movie = _get(query, "/v1/me/recommendations", headers)["items"][0]["id"]
    _rate(command, movie, headers)
    return _until(
        lambda: (
            movie
            not in [item["id"] for item in _get(query, "/v1/me/recommendations", headers)["items"]]
        )
    )


def _in_search(stage: Stage, command: httpx.Client, query: httpx.Client, nth: int) -> float:
    items = _get(query, "/v1/search?q=station&limit=100")["items"]
    movie = items[nth]["id"]
    _rate(command, movie, dict(stage.person.headers))
    path = "/v1/search?q=station&limit=100&min_score=1"
    return _until(lambda: movie in [item["id"] for item in _get(query, path)["items"]])


def _rate(command: httpx.Client, movie: int, headers: dict[str, str]) -> None:
    command.put(f"/v1/movies/{movie}/rating", json={"score": 9}, headers=headers).raise_for_status()


def _get(query: httpx.Client, path: str, headers: dict[str, str] | None = None) -> Any:
    return query.get(path, headers=headers).raise_for_status().json()


def _until(is_visible: Callable[[], bool]) -> float:
    began = time.perf_counter()
    while not is_visible():
        if time.perf_counter() - began > PATIENCE_SECONDS:
            raise TimeoutError(f"Not visible after {PATIENCE_SECONDS:.0f} s.")
    return time.perf_counter() - began


def _timed(step: Callable[[], object]) -> float:
    began = time.perf_counter()
    step()
    return time.perf_counter() - began
