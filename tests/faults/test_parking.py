"""A projection fails on one movie: what stops, and is all of it there after the fix?"""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from http import HTTPStatus

import httpx
import pytest

from benchmarks.generated_ratings import make
from infra.platform.processes import HOME, Process, manage
from infra.platform.topology import Platform
from tests.fixtures.platform import LEVEL_SECONDS, Client, import_
from tests.fixtures.waiting import until

PATIENCE_SECONDS = 120
PROGRAM = "tests.fixtures.failing_projector"


@pytest.fixture
def poisoned():
    """Put a projector with broken code in the place of the platform's, until it is mended."""
    started: list[Process] = []

    def begin(found: Platform, digits: str) -> Process:
        found.processes["projector"].stop()
        command = [sys.executable, "-m", PROGRAM, digits]
        broken = replace(found.processes["projector"], command=command, popen=None)
        started.append(broken)
        broken.start()
        return broken

    yield begin
    for process in started:
        process.stop(signal.SIGKILL)


def mend(found: Platform, broken: Process) -> None:
    """The code that was fixed is deployed."""
    broken.stop()
    found.processes["projector"].start()


def parked(found: Platform, *arguments: str) -> str:
    """What the command prints."""
    return subprocess.run(
        manage("parked", *arguments),
        cwd=HOME,
        env={**os.environ, **found.environ, "MARQUEE_ROLE": "ops", "COLUMNS": "200"},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def rate(person: Client, movie: int, score: int) -> str:
    return person.put(f"/v1/movies/{movie}/rating", {"score": score}).headers["Log-Position"]


def read(person: Client, path: str, at: str) -> httpx.Response:
    """The answer, as soon as there is a projector that brings it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (answer := person.read(path, at)).status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        assert time.monotonic() < deadline, answer.text
    assert answer.status_code == HTTPStatus.OK, answer.text
    return answer


def votes(person: Client, movie: int, at: str) -> tuple[int, str | None]:
    """How many votes a card shows, and which models had to leave out what was waited for."""
    answer = read(person, f"/v1/movies/{movie}", at)
    return answer.json()["community"]["count"], answer.headers.get("Log-Parked")


def test_only_the_streams_of_that_movie_stop_and_a_retry_brings_them_level(
    start, catalogue, somebody, poisoned
):
    found = start()
    import_(found, catalogue)
    ann, bob = somebody(found, "ann"), somebody(found, "bob")
    assert votes(ann, 13, rate(ann, 13, 7)) == (1, None)
    broken = poisoned(found, "13")

    assert votes(ann, 13, rate(ann, 13, 8)) == (1, "movies")
    assert votes(bob, 13, rate(bob, 13, 9)) == (1, "movies")
    assert votes(bob, 12, rate(bob, 12, 9)) == (1, None)
    mine = read(ann, "/v1/me/ratings", rate(ann, 13, 6))
    assert mine.headers["Log-Parked"] == "library, movies"
    assert [item["score"] for item in mine.json()["items"]] == [7]
    level_and_equal(found)  # but for what was set aside
    assert "LookupError: movie 13" in parked(found, "list", "movies")

    mend(found, broken)
    at = rate(ann, 13, 5)  # goes behind those that are parked
    assert votes(ann, 13, at) == (1, "movies")
    assert found.manage("parked", "retry", "--all") == 0
    assert votes(ann, 13, at) == (2, None)
    mine = read(ann, "/v1/me/ratings", at)
    assert ([item["score"] for item in mine.json()["items"]], "Log-Parked" in mine.headers) == (
        [5],
        False,
    )
    assert votes(ann, 13, rate(ann, 13, 4)) == (2, None)
    assert "Nothing is parked" in parked(found, "list")
    level_and_equal(found)


def test_a_deploy_that_fails_on_everything_stops_and_parks_nothing(
    start, catalogue, somebody, poisoned
):
    found = start()
    import_(found, catalogue)
    ann = somebody(found, "ann")
    broken = poisoned(found, "")
    at = rate(ann, 12, 8)
    until(broken.has_ended)
    assert broken.status == 1
    assert "movies fails on everything" in broken.last_words()
    assert "Nothing is parked" in parked(found, "list", "movies")
    mend(found, broken)
    assert votes(ann, 12, at) == (1, None)


@pytest.fixture
def importing(variables, tmp_path):
    """Begin an import of so many ratings of two hundred movies."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(ratings: int) -> "subprocess.Popen[bytes]":
        directory = tmp_path / str(ratings)
        directory.mkdir()
        make(directory, ratings=ratings, people=100, movies=200)
        process = subprocess.Popen(
            manage("import_movielens", str(directory), "--until-now"),
            cwd=HOME,
            env={**os.environ, **variables, "MARQUEE_ROLE": "ops"},
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_killed_while_it_parks_and_retried_while_more_comes_in(
    start, catalogue, importing, poisoned
):
    found = start()
    import_(found, catalogue)
    broken = poisoned(found, "3")
    under_way = importing(2000)
    for _ in range(2):
        wait_for_more(found, under_way)
        broken.stop(signal.SIGKILL)
        broken.start()
    assert under_way.wait(PATIENCE_SECONDS) == 0
    until(lambda: how_many(found) > 0)
    mend(found, broken)
    under_way = importing(3000)
    while under_way.poll() is None:
        assert found.manage("parked", "retry", "--all") == 0
    assert found.manage("lag", "--wait", LEVEL_SECONDS) == 0
    assert found.manage("parked", "retry", "--all") == 0
    assert "Nothing is parked" in parked(found, "list")
    level_and_equal(found)


def wait_for_more(found: Platform, under_way: "subprocess.Popen[bytes]") -> None:
    """Wait until more streams are parked, or none are to come."""
    before = how_many(found)
    until(lambda: how_many(found) > before or under_way.poll() is not None)


def how_many(found: Platform) -> int:
    """How many lines it takes to list what library has parked."""
    listed = parked(found, "list", "library")
    return 0 if "Nothing is parked" in listed else listed.count("\n")


def level_and_equal(found: Platform) -> None:
    """Everything is taken in or parked, and the state is that of what was taken in."""
    assert found.manage("lag", "--wait", LEVEL_SECONDS) == 0
    assert found.manage("verify", "--all") == 0
