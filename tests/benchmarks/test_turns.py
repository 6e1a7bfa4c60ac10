"""Turns: alternation, medians and the spread of the calibration."""

import subprocess
import sys

import pytest

from benchmarks import turns
from benchmarks.turns import in_turn, of_process, spread


def test_turns_alternate_and_report_medians():
    order, measured, calibrated = [], iter((30.0, 10.0, 20.0)), iter((100.0, 120.0, 80.0))

    def measure() -> float:
        order.append("measure")
        return next(measured)

    def calibrate() -> float:
        order.append("calibrate")
        return next(calibrated)

    result = in_turn(measure, calibrate)
    assert order == ["calibrate", "measure"] * turns.TURNS
    assert (result.measured, result.calibrated, result.spread) == (20.0, 100.0, 0.4)


def test_constant_calibration_has_no_spread():
    assert spread([5.0, 5.0, 5.0]) == 0.0


def test_turns_of_a_process_are_its_lines(tmp_path, monkeypatch):
    (tmp_path / "measuring.py").write_text("print('1 10')\nprint('3 20')\nprint('2 30')\n")
    monkeypatch.setattr(turns, "HOME", tmp_path)
    assert of_process("measuring", environ={}) == (2.0, 20.0, 1.0)


def test_failing_process_is_no_measurement(tmp_path, monkeypatch):
    (tmp_path / "measuring.py").write_text("raise SystemExit(3)\n")
    monkeypatch.setattr(turns, "HOME", tmp_path)
    with pytest.raises(subprocess.CalledProcessError, match=sys.executable):
        of_process("measuring", environ={})
