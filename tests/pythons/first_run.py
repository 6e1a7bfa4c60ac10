"""First run: ``make run`` twice and ``make demo`` in a checkout without .venv, by a given Python.

It works in the current directory, and needs only the standard library.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST_SECONDS = 1800
LOG = Path("first-run.log")
READY, STOPPED = "Ready after", "Stopped. All data stays in"
DEVELOPMENT_TOOLS = ("ruff", "mypy", "pytest")


class Failed(Exception):
    """A step did not do what it should."""


def main(python: str) -> int:
    """Run all steps; exit status 1 with the step that failed."""
    if Path(".venv").exists():
        sys.exit("There is a .venv already: make test-python works on a copy of the checkout.")
    port = _free_ports()
    try:
        for start in ("first start, installation included", "second start"):
            with _timed(start), _running(python, port):
                _answers(port)
                _verify()
        _require_no_development_tools()
        with _timed("make demo"):
            _require("make", "demo", f"BASE_PYTHON={python}")
    except Failed as failure:
        _say(f"FAILED: {failure}")
        return 1
    version = subprocess.check_output([".venv/bin/python", "--version"], text=True).strip()
    _say(f"make run and make demo work on {version}")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"== {line}\n")
    sys.stdout.flush()


@contextmanager
def _timed(step: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    _say(f"{step}: {time.monotonic() - began:.0f} s")


def _free_ports() -> int:
    """The first of two consecutive free ports."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


@contextmanager
def _running(python: str, port: int) -> Iterator[None]:
    """``make run`` until the end of the block, ended as by Ctrl-C."""
    command = ["make", "run", f"PORT={port}", f"BASE_PYTHON={python}"]
    with LOG.open("wb") as log:
        make = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait_until_ready(make)
        yield
    finally:
        if make.poll() is None:
            os.killpg(make.pid, signal.SIGINT)
            make.wait(120)
        sys.stdout.write(LOG.read_text())
    if STOPPED not in LOG.read_text():
        raise Failed("make run did not stop on Ctrl-C")


def _wait_until_ready(make: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while READY not in LOG.read_text():
        if make.poll() is not None:
            raise Failed(f"make run ended with {make.returncode}")
        if time.monotonic() > deadline:
            raise Failed(f"make run is not ready after {LONGEST_SECONDS} s")
        time.sleep(0.5)


def _answers(port: int) -> None:
    for number, path in ((port, "/v1/search?q=godfather"), (port + 1, "/health/ready")):
        with urllib.request.urlopen(f"http://127.0.0.1:{number}{path}", timeout=60) as answer:
            body = answer.read()
        if path.startswith("/v1") and b"The Godfather" not in body:
            raise Failed(f"{path} answered {body[:200]!r}")


def _verify() -> None:
    output = _require(".venv/bin/python", "manage.py", "verify", "--all")
    if "differ" in output or "equal" not in output:
        raise Failed("verify --all found differences")


def _require(*command: str) -> str:
    """Run a command that must succeed; its output, which is shown."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    sys.stdout.write(done.stdout)
    if done.returncode:
        raise Failed(f"{' '.join(command)} ended with {done.returncode}")
    return done.stdout


def _require_no_development_tools() -> None:
    if tools := [name for name in DEVELOPMENT_TOOLS if Path(".venv/bin", name).exists()]:
        raise Failed(f"make run installed {', '.join(tools)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
