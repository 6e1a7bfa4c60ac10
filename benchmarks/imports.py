"""Import of 100,000 ratings, from the file until all read models have applied them."""

import time
from collections.abc import Iterable

from benchmarks.append import plain_inserts_per_second
from benchmarks.measurement import Measurement
from benchmarks.stage import Stage, manage

GATE_A_SECOND = 5000
"""Goal on two quiet cores; it is not compared with a calibration, so it is printed only."""


def rows(stage: Stage) -> Iterable[Measurement]:
    """Import on a running platform, until the derived data of the last read model is built."""
    lines = sum(1 for _ in (stage.ratings / "ratings.csv").open("rb")) - 1
    calibrated = plain_inserts_per_second(stage.platform.environ["MARQUEE_DATABASE_URL"])
    began = time.monotonic()
    manage(stage.platform, "import_movielens", str(stage.ratings), "--until-now")
    imported = time.monotonic() - began
    manage(stage.platform, "lag", "--wait", "300")
    took = time.monotonic() - began
    yield Measurement(
        group="import",
        name=f"{lines:,} ratings, from file to all read models level",
        measured=lines / took,
        unit="ratings/s",
        calibration="pgbench inserting the same row one by one, 16 clients",
        calibrated=calibrated,
        note=f"{took:.1f} s in all, of which {imported:.1f} s until the command ended;"
        f" to reach on a quiet box: {GATE_A_SECOND:,}",
    )
