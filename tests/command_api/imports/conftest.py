"""Fixtures of the imports: files, commands and the log."""

import csv
import io
import json

import pytest
from django.core.management import call_command

from events.recorded import Recorded
from events.store.postgres import PostgresStore
from infra import clients
from infra.config import config


@pytest.fixture
def store(db, redis_url):
    """The log; what the test writes is rolled back."""
    clients.redis().ping()  # the thread that publishes hints needs an open connection
    return PostgresStore(config().partitions)


@pytest.fixture
def command(store):
    """Run a command and return its stdout."""

    def run(*words):
        out = io.StringIO()
        call_command(*map(str, words), stdout=out)
        return out.getvalue()

    return run


@pytest.fixture
def write(tmp_path):
    """Write a catalogue file and return its path."""

    def _write(*rows, pack=bytes):
        lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
        path = tmp_path / "movies.jsonl"
        path.write_bytes(pack(b"\n".join(lines) + b"\n"))
        return path

    return _write


@pytest.fixture
def movielens(tmp_path):
    """Write MovieLens files and return their directory."""

    def write(*, movies, ratings, links=None):
        tables = {
            "movies.csv": [("movieId", "title", "genres"), *movies],
            "ratings.csv": [("userId", "movieId", "rating", "timestamp"), *ratings],
        }
        if links is not None:
            tables["links.csv"] = [("movieId", "imdbId", "tmdbId"), *links]
        for name, rows in tables.items():
            with (tmp_path / name).open("w", newline="") as file:
                csv.writer(file).writerows(rows)
        return tmp_path

    return write


@pytest.fixture
def history(store):
    """All events of the log, by stream."""

    def read(prefix):
        by_stream: dict[str, list[Recorded]] = {}
        for partition in range(store.partitions):
            for recorded in store.page(partition, after=0, limit=1_000_000):
                if recorded.stream.startswith(prefix):
                    by_stream.setdefault(recorded.stream, []).append(recorded)
        return by_stream

    return read
