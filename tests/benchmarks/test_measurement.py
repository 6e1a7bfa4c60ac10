"""Measurements: ratios and gates."""

import pytest

from benchmarks.measurement import Measurement


def row(measured, *, calibrated=100.0, **more):
    return Measurement(
        group="append",
        name="appends",
        measured=measured,
        unit="events/s",
        calibration="plain inserts",
        calibrated=calibrated,
        **more,
    )


def test_ratio_is_measured_over_calibrated():
    assert row(50.0).ratio == 0.5


def test_zero_calibration_gives_ratio_zero():
    assert row(50.0, calibrated=0.0, gate=0.5).passes is False


@pytest.mark.parametrize(
    ("measured", "gate", "sense", "passes"),
    [
        (49.9, 0.5, "at_least", False),
        (50.0, 0.5, "at_least", True),
        (200.0, 2.0, "at_most", True),
        (200.1, 2.0, "at_most", False),
        (0.1, None, "at_least", True),
    ],
)
def test_gate_compares_the_ratio(measured, gate, sense, passes):
    assert row(measured, gate=gate, sense=sense).passes is passes


def test_summary_line_has_all_three_numbers():
    assert row(50.0).summary == "appends: 50.00 events/s, 0.50 of plain inserts (100.00)"
