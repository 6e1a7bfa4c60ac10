"""Append rate of the event log, compared with plain inserts of the same row."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from benchmarks.measurement import Measurement
from benchmarks.turns import in_turn
from infra.platform.processes import HOME
from infra.platform.topology import environment, forget, prepare
from infra.services import Addresses

PROCESSES = 16
SECONDS = 5
GATE = 0.5

# The same columns and indexes; offsets come from a sequence, so they are not in commit order.
_PLAIN_TABLE = """
SET client_min_messages = error;
DROP TABLE IF EXISTS plain;
DROP SEQUENCE IF EXISTS plain_offsets;
CREATE SEQUENCE plain_offsets;
CREATE TABLE plain (LIKE events INCLUDING ALL);
ALTER TABLE plain ALTER COLUMN "offset" SET DEFAULT nextval('plain_offsets');
"""
_PLAIN_INSERT = """
\\set p random(0, 63)
\\set movie random(1, 40000)
INSERT INTO plain (partition, stream, version, type, data, occurred_at, recorded_at, correlation_id)
VALUES (:p, 'rating-' || gen_random_uuid() || '-' || :movie::int, 1, 'movie-rated.v1',
 json_build_object('type', 'movie-rated.v1', 'user_id', gen_random_uuid(), 'movie_id', :movie::int,
 'score', 8, 'previous', null), now(), now(), gen_random_uuid());
"""


def rows(servers: Addresses) -> Iterable[Measurement]:
    """EventStore.append by 16 processes."""
    with temporary_log(servers, "marquee_bench_append") as environ:
        url = environ["MARQUEE_DATABASE_URL"]
        turns = in_turn(lambda: _appends(environ), lambda: plain_inserts_per_second(url))
    yield Measurement(
        group="append",
        name=f"EventStore.append, {PROCESSES} processes",
        measured=turns.measured,
        unit="events/s",
        calibration="pgbench inserting the same row, 16 clients",
        calibrated=turns.calibrated,
        gate=GATE,
        spread=turns.spread,
    )


@contextmanager
def temporary_log(servers: Addresses, name: str) -> Iterator[Mapping[str, str]]:
    """Environment variables of an empty log, which is dropped after the block."""
    with TemporaryDirectory() as directory:
        path = Path(directory)
        environ = environment(servers, path, name=name, fresh=True)
        prepare(environ, path, fresh=True)
        try:
            yield environ
        finally:
            forget(environ)


def _appends(environ: Mapping[str, str]) -> float:
    """Events a second of all processes together; they connect first, then start at one signal."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.appender", str(SECONDS)],
            cwd=HOME,
            env={**os.environ, **environ, "MARQUEE_ROLE": "ops"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout  # noqa: S101 - a pipe was requested
        process.stdout.readline()
    for process in processes:
        assert process.stdin  # noqa: S101 - a pipe was requested
        process.stdin.write("go\n")
        process.stdin.flush()
    return sum(int(process.communicate()[0]) for process in processes) / SECONDS


def make_plain_table(url: str) -> None:
    """Create a copy of the events table whose offsets come from a sequence."""
    subprocess.run(["psql", "-q", url, "-c", _PLAIN_TABLE], check=True)


def plain_inserts_per_second(url: str) -> float:
    """Single-row transactions a second into a copy of the events table, as pgbench reports them.

    By the simple query protocol, as psycopg2.
    """
    make_plain_table(url)
    with TemporaryDirectory() as directory:
        script = Path(directory) / "plain.sql"
        script.write_text(_PLAIN_INSERT)
        return _pgbench(url, script)


def _pgbench(url: str, script: Path) -> float:
    parts = urlsplit(url)
    result = subprocess.run(
        [
            *("pgbench", "--no-vacuum", "--client", str(PROCESSES), "--jobs", "2"),
            *("--time", str(SECONDS), "--file", str(script)),
            *("--host", str(parts.hostname), "--port", str(parts.port)),
            *("--username", str(parts.username), parts.path.lstrip("/")),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    [line] = [line for line in result.stdout.splitlines() if line.startswith("tps = ")]
    return float(line.split()[2])
