"""How many messages a second does the relay publish, beside bare pika?"""

import os
import subprocess
import sys
from collections.abc import Iterable
from statistics import median

from benchmarks.append import temporary_log
from benchmarks.row import Row
from infra.platform.processes import HOME
from infra.services import Addresses

GATE = 0.7


def rows(servers: Addresses) -> Iterable[Row]:
    """From the log, in order, confirmed, with the cursor moved."""
    with temporary_log(servers, "marquee_bench_relay") as environ:
        said = subprocess.run(
            [sys.executable, "-m", "benchmarks.relaying"],
            cwd=HOME,
            env={**os.environ, **environ, "MARQUEE_ROLE": "ops"},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
    turns = [tuple(map(float, line.split())) for line in said.splitlines()]
    bare = [turn[1] for turn in turns]
    yield Row(
        group="relay",
        name="relay from the log to quorum queues, confirmed",
        measured=median(turn[0] for turn in turns),
        unit="messages/s",
        calibration="bare pika SelectConnection, same bytes, same window",
        calibrated=median(bare),
        gate=GATE,
        spread=(max(bare) - min(bare)) / median(bare),
    )
