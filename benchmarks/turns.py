"""How are two things measured in turn, so that the machine's mood falls on both?"""

from collections.abc import Callable
from statistics import median
from typing import NamedTuple

TURNS = 3


class Turns(NamedTuple):
    """The medians of both, and how far the calibration's turns were apart."""

    measured: float
    calibrated: float
    spread: float


def in_turn(
    measure: Callable[[], float], calibrate: Callable[[], float], *, turns: int = TURNS
) -> Turns:
    """Calibrate, measure, calibrate, measure...; medians."""
    calibrations, measurements = [], []
    for _ in range(turns):
        calibrations.append(calibrate())
        measurements.append(measure())
    middle = median(calibrations)
    return Turns(median(measurements), middle, (max(calibrations) - min(calibrations)) / middle)
