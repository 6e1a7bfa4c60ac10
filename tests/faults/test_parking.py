"""Parking with real processes: a projection that fails on one movie stops only its streams.

The tests share a platform; each ends with all parked events applied.
"""

import signal
import subprocess
import sys
import time
from dataclasses import replace
from http import HTTPStatus

import httpx
import pytest
from redis import Redis

from benchmarks.generated_ratings import make
from infra.platform.processes import Process, run_manage
from infra.platform.topology import Platform
from tests.fixtures.platform import (
    LEVEL_SECONDS,
    Client,
    SharedPlatform,
    assert_level_and_equal,
    manage_all,
)
from tests.fixtures.waiting import until

PATIENCE_SECONDS = 120
PROGRAM = "tests.fixtures.failing_projector"
FIRST_USER = 5001
"""First user id of the imports here; no other test imports these users."""


@pytest.fixture
def failing_projector():
    """Replaces the platform's projector by one that fails on movies whose ids end with digits."""
    started: list[Process] = []

    def begin(platform: Platform, digits: str) -> Process:
        platform.processes["projector"].stop()
        command = [sys.executable, "-m", PROGRAM, digits]
        failing = replace(platform.processes["projector"], command=command, popen=None)
        started.append(failing)
        failing.start()
        return failing

    yield begin
    for process in started:
        process.stop(signal.SIGKILL)


def deploy_fixed_projector(platform: Platform, failing: Process) -> None:
    """Deploy the fixed code."""
    failing.stop()
    platform.processes["projector"].start()


def run_parked_command(platform: Platform, *arguments: str) -> str:
    """Output of ``manage.py parked``."""
    environ = {**platform.environ, "COLUMNS": "200"}
    return run_manage(environ, "parked", *arguments, check=True, capture_output=True).stdout


def rate(person: Client, movie: int, score: int) -> str:
    return person.put(f"/v1/movies/{movie}/rating", {"score": score}).headers["Log-Position"]


def read(person: Client, path: str, at: str) -> httpx.Response:
    """Read, again while the position is not reached."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (answer := person.read(path, at)).status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        assert time.monotonic() < deadline, answer.text
    assert answer.status_code == HTTPStatus.OK, answer.text
    return answer


def votes(person: Client, movie: int, at: str) -> tuple[int, str | None]:
    """The votes on a card, and the models in which the waited-for event is parked."""
    answer = read(person, f"/v1/movies/{movie}", at)
    return answer.json()["community"]["count"], answer.headers.get("Log-Parked")


def test_only_the_failing_movies_streams_are_parked_until_a_retry_applies_them(
    shared_platform, register_client, failing_projector
):
    platform = shared_platform.platform
    ann, bob = register_client(platform), register_client(platform)
    votes_13, parked_13 = votes(ann, 13, rate(ann, 13, 7))
    assert parked_13 is None
    votes_12, _ = votes(ann, 12, "")
    failing = failing_projector(platform, "13")

    assert votes(ann, 13, rate(ann, 13, 8)) == (votes_13, "movies")
    assert votes(bob, 13, rate(bob, 13, 9)) == (votes_13, "movies")
    assert votes(bob, 12, rate(bob, 12, 9)) == (votes_12 + 1, None)
    response = read(ann, "/v1/me/ratings", rate(ann, 13, 6))
    assert response.headers["Log-Parked"] == "library, movies"
    assert [item["score"] for item in response.json()["items"]] == [7]
    assert_level_and_equal(platform)  # parked events aside
    assert "LookupError: movie 13" in run_parked_command(platform, "list", "movies")

    deploy_fixed_projector(platform, failing)
    at = rate(ann, 13, 5)  # parked behind the earlier events of its stream
    assert votes(ann, 13, at) == (votes_13, "movies")
    assert platform.manage("parked", "retry", "--all") == 0
    assert votes(ann, 13, at) == (votes_13 + 1, None)
    response = read(ann, "/v1/me/ratings", at)
    assert (
        [item["score"] for item in response.json()["items"]],
        "Log-Parked" in response.headers,
    ) == (
        [5],
        False,
    )
    assert votes(ann, 13, rate(ann, 13, 4)) == (votes_13 + 1, None)
    assert "Nothing is parked" in run_parked_command(platform, "list")
    assert_level_and_equal(platform)


def test_projector_that_fails_on_every_event_stops_and_parks_nothing(
    shared_platform, register_client, failing_projector
):
    platform = shared_platform.platform
    ann = register_client(platform)
    before, _ = votes(ann, 12, "")
    failing = failing_projector(platform, "")
    at = rate(ann, 12, 8)
    until(failing.has_ended)
    assert failing.status == 1
    assert "movies fails on everything" in failing.log_tail()
    assert "Nothing is parked" in run_parked_command(platform, "list", "movies")
    deploy_fixed_projector(platform, failing)
    assert votes(ann, 12, at) == (before + 1, None)


@pytest.fixture
def importing(start_import, tmp_path):
    """Starts an import of ratings of two hundred movies."""

    def begin(ratings: int):
        directory = tmp_path / str(ratings)
        directory.mkdir()
        make(directory, ratings=ratings, people=100, movies=200, first_user=FIRST_USER)
        return start_import(directory)

    return begin


@pytest.mark.slow
def test_parked_events_are_all_applied_when_killed_while_parking_and_retried_during_an_import(
    shared_platform, importing, failing_projector
):
    platform = shared_platform.platform
    failing = failing_projector(platform, "3")
    running_import = importing(2000)
    for _ in range(2):
        wait_for_more(shared_platform, running_import)
        failing.stop(signal.SIGKILL)
        failing.start()
    assert running_import.wait(PATIENCE_SECONDS) == 0
    until(lambda: parked_streams(shared_platform) > 0)
    deploy_fixed_projector(platform, failing)
    running_import = importing(3000)
    while running_import.poll() is None:
        assert platform.manage("parked", "retry", "--all") == 0
    manage_all(platform, ("lag", "--wait", LEVEL_SECONDS), ("parked", "retry", "--all"))
    assert "Nothing is parked" in run_parked_command(platform, "list")
    assert_level_and_equal(platform)


def wait_for_more(shared: SharedPlatform, running_import: "subprocess.Popen[bytes]") -> None:
    """Wait until more streams are parked, or the import has ended."""
    before = parked_streams(shared)
    until(lambda: parked_streams(shared) > before or running_import.poll() is not None)


def parked_streams(shared: SharedPlatform) -> int:
    """How many streams the library model has parked."""
    generation = shared.live_generation("library")
    with Redis.from_url(shared.redis_url) as redis:
        keys = list(redis.scan_iter(f"{{library.{generation}.*}}:parked:streams", count=10_000))
        return sum(redis.scard(key) for key in keys)
