"""Time decay: the heat of a movie from its ratings by hour.

heat = sum over the window's hours of ratings x 2^(-age in hours / half-life), age in whole hours.

Exponential decay, counted forward from a fixed point (landmark), so that all heats fade alike and
the order changes with events only (Cormode, Shkapenyuk, Srivastava, Xu: "Forward Decay", ICDE
2009). The half-life is a quarter of the window: at its edge a rating still counts 1/16, so leaving
the window is no jump. The day's is six hours; in our measurements a shorter half-life followed
noise more than trends.
"""

from collections.abc import Mapping
from math import fsum, log2
from typing import Literal, NamedTuple, TypeAlias

WindowName: TypeAlias = Literal["day", "week"]


class Window(NamedTuple):
    """Length of a board's window, and its half-life."""

    hours: int
    half_life_hours: float


WINDOWS: Mapping[WindowName, Window] = {"day": Window(24, 6.0), "week": Window(168, 42.0)}
LONGEST_HOURS = max(window.hours for window in WINDOWS.values())

_DIGITS = 6


def heat(ratings: Mapping[int, int], *, hour: int, window: Window) -> float:
    """Heat at ``hour`` from ratings by hour; never below zero. Later hours are ignored."""
    degrees = fsum(
        count * decay_factor(hour - then, window)
        for then, count in ratings.items()
        if 0 <= hour - then < window.hours
    )
    return max(0.0, round(degrees, _DIGITS))


def decay_factor(hours: int, window: Window) -> float:
    """What remains of one degree after some hours."""
    return float(2.0 ** (-hours / window.half_life_hours))


def time_invariant(heat: float, *, hour: int, window: Window) -> float:
    """Map a heat to a number that time does not change (log2, forward decay)."""
    return log2(heat) + hour / window.half_life_hours


def heat_at(value: float, *, hour: int, window: Window) -> float:
    """Map a ``time_invariant`` value back to the heat at an hour."""
    return float(2.0 ** (value - hour / window.half_life_hours))
