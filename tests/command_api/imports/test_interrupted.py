"""Interrupted imports: stopped or killed, they resume when run again."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection

from command_api.imports.data_sets import FIRST
from events.store.postgres import PostgresStore
from infra.config import config

ROOT = Path(__file__).parents[3]
RATINGS = 20_000
LAST_AT = 900_000_000


@pytest.fixture
def store(log_database, redis_url):
    """The log, for several processes."""
    return PostgresStore(config().partitions)


@pytest.fixture
def ratings():
    """Random ratings; users rate some films more than once."""
    choose = random.Random(7)
    rows = [
        (choose.randint(1, 300), choose.randint(1, 60), choose.randint(1, 10) / 2, at)
        for at in sorted(choose.choices(range(LAST_AT - 10_000_000, LAST_AT), k=RATINGS - 1))
    ]
    return [*rows, (1, 1, 5.0, LAST_AT)]


@pytest.fixture
def files(movielens, ratings):
    movies = [(film, f"Made Up {film} (1990)", "Drama") for film in range(1, 61)]
    return movielens(movies=movies, ratings=ratings)


def start(files):
    command = [sys.executable, "manage.py", "import_movielens", str(files), "--until-now"]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def imported():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM events WHERE type = 'movie-rated.v1'")
        [(count,)] = cursor.fetchall()
    return count


def expected(ratings):
    """Expected contents of the log, computed naively from the file."""
    events: dict[tuple[str, int], list[tuple[int, int | None, float]]] = {}
    for user, film, stars, at in ratings:
        scores = events.setdefault((str(FIRST.user_id(user)), 1_000_000 + film), [])
        if not scores or scores[-1][0] != int(stars * 2):
            scores.append((int(stars * 2), scores[-1][0] if scores else None, at - LAST_AT))
    return events


def held(store):
    """Contents of the log, with times relative to the last."""
    ratings: dict[tuple[str, int], list[tuple[int, int | None, float]]] = {}
    for partition in range(store.partitions):
        for recorded in store.page(partition, after=0, limit=100_000):
            if recorded.stream.startswith("rating-"):
                event, at = recorded.event, recorded.occurred_at.timestamp()
                scores = ratings.setdefault((str(event.user_id), event.movie_id), [])
                scores.append((event.score, event.previous, at))
    last = max(at for scores in ratings.values() for _, _, at in scores)
    return {
        key: [(score, previous, at - last) for score, previous, at in scores]
        for key, scores in ratings.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_stopped_or_killed_import_resumes_when_run_again(store, files, ratings, number):
    first = start(files)
    deadline = time.monotonic() + 120
    while not imported() and time.monotonic() < deadline:
        assert first.poll() is None, first.communicate()
    first.send_signal(number)
    _, errors = first.communicate(timeout=120)
    assert 0 < imported() < RATINGS / 2
    if number == signal.SIGINT:
        assert first.returncode == 130
        assert "Run the same command again to resume." in errors

    second = start(files)
    output, errors = second.communicate(timeout=300)
    assert second.returncode == 0, errors
    assert f"read {RATINGS}," in output
    assert "already there 0" not in output
    assert held(store) == expected(ratings)
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(head) = (SELECT count(*) FROM events) FROM partitions")
        assert cursor.fetchall() == [(True,)]
