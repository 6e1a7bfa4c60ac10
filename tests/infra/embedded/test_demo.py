"""The tour on an embedded platform."""

import os
import subprocess
import sys

import pytest

from infra.config import PREFIX
from infra.platform.processes import HOME
from tests.infra.embedded.conftest import leftovers


@pytest.mark.slow
@pytest.mark.usefixtures("embedded_engines")
def test_embedded_tour_succeeds_and_leaves_no_process(open_path):
    environ = {name: value for name, value in os.environ.items() if PREFIX not in name}
    done = subprocess.run(
        [sys.executable, "-m", "infra.demo", "--mode", "embedded"],
        cwd=HOME,
        env=environ | {"MARQUEE_STATE_DIR": str(open_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "steps succeeded" in done.stdout
    verified = done.stdout.partition("manage.py verify --all")[2]
    assert "equal" in verified
    assert "differ" not in verified
    assert leftovers(open_path / "demo-embedded") == []
