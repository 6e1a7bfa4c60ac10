"""How hot is a movie now, that was rated in these hours?

heat = sum over the window's hours of ratings x 2^(-age in hours / half-life), age in whole hours.

Exponential decay, counted forward from a fixed point so that all heats fade alike and the order
changes with events only (Cormode, Shkapenyuk, Srivastava, Xu: "Forward Decay", ICDE 2009). The
half-life is a quarter of the window: at its edge a rating still counts 1/16, so leaving the window
is no jump; and it keeps the day's above the six hours below which a half-life followed noise more
than trends in our measurements.
"""

from collections.abc import Mapping
from math import fsum, log2
from typing import Literal, NamedTuple, TypeAlias

WindowName: TypeAlias = Literal["day", "week"]


class Window(NamedTuple):
    """How far back a board looks, and how fast what it sees fades."""

    hours: int
    half_life_hours: float


WINDOWS: Mapping[WindowName, Window] = {"day": Window(24, 6.0), "week": Window(168, 42.0)}
LONGEST_HOURS = max(window.hours for window in WINDOWS.values())

_DIGITS = 6


def heat(ratings: Mapping[int, int], *, hour: int, window: Window) -> float:
    """The heat at ``hour`` of a movie with these ratings by hour; never below zero.

    Hours that are still to come say nothing yet.
    """
    degrees = fsum(
        count * decay_factor(hour - then, window)
        for then, count in ratings.items()
        if 0 <= hour - then < window.hours
    )
    return max(0.0, round(degrees, _DIGITS))


def decay_factor(hours: int, window: Window) -> float:
    """What is left of one degree after some hours."""
    return float(2.0 ** (-hours / window.half_life_hours))


def time_invariant(heat: float, *, hour: int, window: Window) -> float:
    """A heat that was so in an hour, as a number that stays right while all heats fade alike."""
    return log2(heat) + hour / window.half_life_hours


def heat_at(value: float, *, hour: int, window: Window) -> float:
    """What has become of a lasting heat in an hour."""
    return float(2.0 ** (value - hour / window.half_life_hours))
