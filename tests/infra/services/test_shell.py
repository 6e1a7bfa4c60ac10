"""``python -m infra.services``: its output and exit statuses."""

import subprocess
import sys

from infra.services.paths import CHECKOUT


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "infra.services", *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_names_every_command():
    answer = run("--help")
    assert answer.returncode == 0
    assert all(command in answer.stdout for command in ("start", "stop", "status", "env"))


def test_status_lists_servers_that_are_down(checkout):
    answer = run("status")
    assert answer.returncode == 1
    assert [line.split()[:2] for line in answer.stdout.splitlines()] == [
        ["postgres", "down"],
        ["redis", "down"],
        ["rabbitmq", "down"],
        ["elasticsearch", "down"],
    ]


def test_unknown_engine_is_refused(checkout, monkeypatch):
    monkeypatch.setenv("SERVICES_ENGINE", "abacus")
    answer = run("start")
    assert answer.returncode == 1
    assert "SERVICES_ENGINE is 'abacus'" in answer.stderr
    assert "Traceback" not in answer.stderr
