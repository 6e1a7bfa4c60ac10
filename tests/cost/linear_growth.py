"""Measures how the CPU time of some work grows when its input doubles."""

import gc
from collections.abc import Callable
from contextlib import suppress
from time import process_time
from typing import Any

from rest_framework.exceptions import ValidationError

from infra.errors import Refused
from infra.visible_text import RefusedText

MOST_GROWTH = 2.5
"""Twice the input may cost this much more; quadratic work costs four times as much."""
_NOISE_SECONDS = 0.0005
_LONG_ENOUGH_SECONDS = 0.003
_FIRST_SIZE, _LAST_SIZE = 256, 2**14
_ROUNDS, _ATTEMPTS = 3, 4

Make = Callable[[int], Any]
Work = Callable[[Any], object]


def is_linear(make: Make, work: Work) -> bool:
    """Whether work on ``make(size)`` costs at most 2.5 times as much for twice the size.

    The size is doubled until the work takes long enough to be measured, and then twice more: one
    doubling may just pass the size of a processor's cache. A busy machine can make linear work look
    slow once, but quadratic work never looks fast: one good attempt counts.
    """
    size = _FIRST_SIZE
    while size < _LAST_SIZE and _seconds(work, make(size)) < _LONG_ENOUGH_SECONDS:
        size *= 2
    small, large = make(size), make(4 * size)
    return any(_grows_slowly(small, large, work) for _ in range(_ATTEMPTS))


def _grows_slowly(small: Any, large: Any, work: Work) -> bool:
    before = min(_seconds(work, small) for _ in range(_ROUNDS))
    after = min(_seconds(work, large) for _ in range(_ROUNDS))
    return after <= MOST_GROWTH**2 * before + _NOISE_SECONDS


def _seconds(work: Work, given: Any) -> float:
    """CPU seconds of this process; a refusal is a result like any other."""
    gc.disable()  # a collection costs as much as everything that was ever allocated
    try:
        began = process_time()
        with suppress(Refused, RefusedText, ValidationError):
            work(given)
        return process_time() - began
    finally:
        gc.enable()
