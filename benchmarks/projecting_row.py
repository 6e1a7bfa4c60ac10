"""How many events a second does a worker take from the bus, beside a bare pika consumer?"""

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from benchmarks.append import temporary_log
from benchmarks.row import Row
from infra.platform.processes import HOME
from infra.services import Addresses, private_redis

GATE = 0.5


def rows(servers: Addresses) -> Iterable[Row]:
    """A worker of one model, which can be run as a process of its own; and one of all nine."""
    with temporary_log(servers, "marquee_bench_projecting") as environ, private_redis() as redis:
        at = {**environ, "MARQUEE_REDIS_URL": redis}
        yield _row(at, "a worker of the library", ("library",), gate=GATE)
        yield _row(at, "a worker of all nine models and their builders", (), gate=None)


def _row(environ: Mapping[str, str], who: str, only: Sequence[str], *, gate: float | None) -> Row:
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks.projecting_turns", *only],
        cwd=HOME,
        env={**os.environ, **environ, "MARQUEE_ROLE": "ops"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    turns = [tuple(map(float, line.split())) for line in said.splitlines()]
    bare = [turn[1] for turn in turns]
    return Row(
        group="projecting",
        name=f"live projecting, {who}, from quorum queues",
        measured=median(turn[0] for turn in turns),
        unit="events/s",
        calibration="bare pika consumer, same prefetch, batched acks",
        calibrated=median(bare),
        gate=gate,
        spread=(max(bare) - min(bare)) / median(bare),
    )
