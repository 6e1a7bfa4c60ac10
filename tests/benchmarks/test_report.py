"""Benchmark report: missed gates, noisy runs and the saved file."""

import json
import re
import subprocess
import sys
from io import StringIO

import pytest
from rich.console import Console

from benchmarks import __main__ as bench
from benchmarks import report
from benchmarks.measurement import Measurement
from benchmarks.report import NOISY, describe, keep, show

SERVERS = {"postgresql": "15.1", "redis": "7.2"}


def row(name="appends", *, measured=80.0, gate=0.5, **more):
    return Measurement(
        group="append",
        name=name,
        measured=measured,
        unit="events/s",
        calibration="plain inserts",
        calibrated=100.0,
        gate=gate,
        **more,
    )


@pytest.fixture(autouse=True)
def results(tmp_path, monkeypatch):
    """Directory in which runs are saved."""
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
    return tmp_path / "results"


def shown(*rows):
    screen = StringIO()
    show(rows, describe(0.5, SERVERS), Console(file=screen, width=200))
    return screen.getvalue()


def line(output, name):
    [matching_line] = (line for line in output.splitlines() if name in line)
    return matching_line


def test_missed_gate_is_shown():
    output = shown(row("fast"), row("slow", measured=30.0), row("for information", gate=None))
    assert "reached" in line(output, "fast")
    assert "missed" in line(output, "slow")
    assert not re.search("reached|missed", line(output, "for information"))
    assert re.search(r"80\.0 events/s .* 100\.0 .* 0\.80 .* >= 0\.5", line(output, "fast"))


def test_noisy_run_names_the_calibrations_that_moved():
    output = shown(row("still", spread=NOISY), row("disturbed", spread=NOISY + 0.01))
    [warning] = (line for line in output.splitlines() if "A noisy run" in line)
    assert "disturbed" in warning
    assert "still" not in warning


def test_quiet_run_has_no_noise_warning():
    assert "noisy" not in shown(row(spread=NOISY))


def test_notes_are_shown():
    assert "appends: with 16 clients" in shown(row(note="with 16 clients"))


def test_run_is_saved_with_machine_and_versions(results):
    saved_path = keep([row(), row(measured=30.0)], describe(0.5, SERVERS), ratings="made up")
    [path] = results.iterdir()
    assert path == saved_path
    run = json.loads(path.read_bytes())
    head = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert run["commit"].startswith(head)
    assert run["commit"] in path.name
    assert run["ratings"] == "made up"
    assert [(each["ratio"], each["passes"]) for each in run["rows"]] == [(0.8, True), (0.3, False)]
    machine = run["machine"]
    assert machine["cores"] > 0
    assert machine["memory_gib"] > 0
    assert machine["processor"]
    assert machine["load_before"] == 0.5
    assert machine["load_after"] >= 0
    assert machine["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"django", "msgspec", "redis"} <= machine["packages"].keys()
    assert machine["servers"] == SERVERS


@pytest.mark.parametrize(
    ("measured", "failures", "status"),
    [(80.0, [], 0), (30.0, [], 1), (80.0, ["relay: it did not start"], 1)],
)
def test_exit_status_tells_whether_all_gates_were_reached(
    monkeypatch, capsys, measured, failures, status
):
    def measure(self, *_arguments, **_options):
        self.rows.append(row(measured=measured))
        self.failures += failures

    monkeypatch.setattr(bench._Bench, "measure", measure)
    monkeypatch.setattr(bench, "ensure", lambda: None)
    monkeypatch.setattr(bench, "versions", lambda _: SERVERS)
    monkeypatch.setattr(bench, "make", lambda _: None)
    monkeypatch.setattr(sys, "argv", ["make bench"])
    assert bench.main() == status
    output = capsys.readouterr().out
    assert all(f"Not measured: {failure}" in output for failure in failures)


def test_failing_group_leaves_the_others():
    running_bench = bench._Bench(Console(file=StringIO()))

    def fails():
        raise OSError("no such server")

    running_bench._group("relay", fails)
    running_bench._group("append", lambda: [row()])
    assert [each.name for each in running_bench.rows] == ["appends"]
    assert running_bench.failures == ["relay: OSError('no such server')"]
