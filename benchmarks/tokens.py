"""Table rows of access-token verification."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.measurement import Measurement
from benchmarks.turns import spread
from infra.platform.processes import HOME
from infra.security import keys

GATE = 0.3
"""For a token seen before, as a share of a bare verification."""


def rows() -> Iterable[Measurement]:
    """Verification in a process with the query API's settings and its own keys."""
    with TemporaryDirectory() as directory:
        keys.create(Path(directory))
        output = subprocess.run(
            [sys.executable, "-m", "benchmarks.token_turns"],
            cwd=HOME,
            env={**os.environ, "MARQUEE_ROLE": "query", "MARQUEE_KEYS_DIR": directory},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
    turns = [tuple(map(float, line.split())) for line in output.splitlines()]
    bare = [turn[1] for turn in turns]
    for name, column, gate in (("seen before", 0, GATE), ("at first sight", 2, None)):
        yield Measurement(
            group="tokens",
            name=f"verifying an access token, {name}",
            measured=median(turn[column] for turn in turns),
            unit="us median",
            calibration="bare RS256 verification by PyJWT",
            calibrated=median(bare),
            gate=gate,
            sense="at_most",
            spread=spread(bare),
        )
