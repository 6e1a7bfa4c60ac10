"""Kill loop: accepted writes survive, once, when everything is killed in turn."""

import re
import subprocess
import sys

import pytest

from infra.platform.processes import HOME

SHORT = ("--seconds", "30", "--pause", "0.25")
"""At least: it goes on until every victim was killed once. ``make faults`` kills for longer, under
five times the load."""


@pytest.fixture
def kill_loop():
    """A short ``make faults``; it ends its servers even when the test is killed."""
    command = [sys.executable, "-m", "tests.faults.kill_loop", *SHORT]
    with subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", *command],
        cwd=HOME,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        try:
            yield running
        finally:
            running.terminate()


@pytest.mark.slow
def test_no_accepted_write_is_lost_or_doubled_when_any_process_is_killed(kill_loop):
    output = kill_loop.communicate()[0]
    assert kill_loop.returncode == 0, output
    assert re.search(r"values looked at [\d,]+: lost 0, twice 0", output), output
    assert "verify --all: equal" in output
    assert "server errors other than 503: 0" in output
    killed = dict(re.findall(r"^│ ([\w' -]+?) +│ +(\d+) +│ [\d.]+ s", output, re.MULTILINE))
    assert killed.keys() == {
        *("relay", "projector", "projector-finding", "worker", "worker's clock"),
        *("command", "command's worker", "query", "query's worker"),
        *("postgres", "postgres's session", "redis", "rabbitmq", "elasticsearch"),
        *("redis refuses writes", "postgres refuses writes", "redis's disk", "postgres's disk"),
    }
    assert all(int(times) > 0 for times in killed.values())
