"""Comparison of derived data while events arrive: when it ends, and with which result."""

from itertools import count

import pytest

from projectors.verification import derived
from projectors.verification.derived import settle

KEEP_COMING = ["could not be compared: events keep coming"]


@pytest.fixture
def impatient(monkeypatch):
    """Each comparison takes longer than all of them may."""
    monkeypatch.setattr(derived, "_PATIENCE_SECONDS", -1.0)


def test_difference_that_stays_is_named_after_a_long_comparison(impatient):
    assert settle(lambda: {"a list": (1, 2)}, lambda: True) == ["a list"]


def test_element_that_was_equal_once_is_right(impatient):
    found = iter([{"one": (1, 2)}, {"other": (1, 2)}])
    assert settle(lambda: next(found), lambda: True) == []


def test_element_that_never_equals_nor_stays_is_not_reported_as_equal(impatient):
    numbers = count()
    assert settle(lambda: {"a list": (next(numbers), None)}, lambda: True) == KEEP_COMING
