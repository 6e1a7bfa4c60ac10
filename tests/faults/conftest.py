"""Fixtures of the fault tests."""

import os
import subprocess
from pathlib import Path

import pytest

from infra.platform.processes import HOME, manage


@pytest.fixture
def start_import(shared_platform):
    """Starts an import of a directory; it is killed after the test if it still runs."""
    started: list[subprocess.Popen[bytes]] = []

    def start(directory: Path) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            manage("import_movielens", str(directory), "--until-now"),
            cwd=HOME,
            env={**os.environ, **shared_platform.platform.environ, "MARQUEE_ROLE": "ops"},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
