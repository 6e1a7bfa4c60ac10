"""Measures and calibrates in alternate turns, so that noise affects both."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import NamedTuple

from infra.platform.processes import HOME

TURNS = 3


class Turns(NamedTuple):
    """Medians of measurement and calibration, and the spread of the calibration."""

    measured: float
    calibrated: float
    spread: float


def in_turn(
    measure: Callable[[], float], calibrate: Callable[[], float], *, turns: int = TURNS
) -> Turns:
    """Calibrate and measure in turn; return the medians."""
    calibrations, measurements = [], []
    for _ in range(turns):
        calibrations.append(calibrate())
        measurements.append(measure())
    return _turns(measurements, calibrations)


def of_process(module: str, *arguments: str, environ: Mapping[str, str]) -> Turns:
    """Run a module that prints ``measured calibrated`` for each turn; return the medians."""
    output = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=HOME,
        env={**os.environ, **environ, "MARQUEE_ROLE": "ops"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    turns = [tuple(map(float, line.split())) for line in output.splitlines()]
    return _turns([turn[0] for turn in turns], [turn[1] for turn in turns])


def spread(calibrations: Sequence[float]) -> float:
    """Range of the turns of a calibration, as a share of their median."""
    return (max(calibrations) - min(calibrations)) / median(calibrations)


def _turns(measurements: Sequence[float], calibrations: Sequence[float]) -> Turns:
    return Turns(median(measurements), median(calibrations), spread(calibrations))
