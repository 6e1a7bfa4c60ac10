"""Peak memory of an import of few and of many ratings.

Two generated files of ratings, user by user as in the large releases of MovieLens. Even the shorter
one exceeds the sorter's run (ratings_sort.RUN); the other is three times as long. It is a dry run:
reading, matching and sorting are measured, nothing is appended.
"""

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from benchmarks.append import temporary_log
from benchmarks.generated_ratings import make_by_user
from benchmarks.measurement import Measurement
from infra.platform.processes import HOME, manage
from infra.services import Addresses

FEW, MANY = 300_000, 900_000
GATE = 1.15


def rows(servers: Addresses) -> Iterable[Measurement]:
    """The peak for the long file, compared with that for the short one."""
    with temporary_log(servers, "marquee_bench_import") as environ:
        few, _ = _imported(environ, FEW)
        many, seconds = _imported(environ, MANY)
    yield Measurement(
        group="import-memory",
        name=f"peak of importing {MANY:,} ratings, without the append",
        measured=many,
        unit="MiB",
        calibration=f"the same with {FEW:,}",
        calibrated=few,
        gate=GATE,
        sense="at_most",
        note=f"{MANY / seconds:,.0f} ratings/s",
    )


def _imported(environ: Mapping[str, str], ratings: int) -> tuple[float, float]:
    """Import a generated file; return the peak memory of the command in MiB, and its seconds."""
    with TemporaryDirectory() as directory:
        make_by_user(Path(directory), ratings=ratings)
        began = monotonic()
        process = subprocess.Popen(
            manage("import_movielens", directory, "--dry-run"),
            cwd=HOME,
            env={**os.environ, **environ, "MARQUEE_ROLE": "ops"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args)
        return usage.ru_maxrss / 1024, monotonic() - began
