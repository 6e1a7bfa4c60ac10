"""Duty cycle: a builder rests for others only."""

from threading import Thread
from time import thread_time

import pytest

from projectors.building.duty_cycle import DutyCycle

WORK_SECONDS = 0.2


@pytest.fixture
def builder() -> DutyCycle:
    return DutyCycle(pause_seconds=0.01)


def work(seconds: float) -> None:
    end = thread_time() + seconds
    while thread_time() < end:
        pass


def test_builder_that_runs_alone_does_not_rest(builder):
    with builder.working():
        work(WORK_SECONDS)
    assert builder.pause_seconds < WORK_SECONDS / 2


def test_builder_rests_no_longer_than_it_worked(builder):
    other = Thread(target=work, args=(3 * WORK_SECONDS,))
    other.start()
    with builder.working():
        work(WORK_SECONDS)
    other.join()
    assert 0.01 < builder.pause_seconds <= 1.5 * WORK_SECONDS


def test_builder_rests_its_minimum_after_no_work(builder):
    with builder.working():
        pass
    assert builder.pause_seconds == 0.01
