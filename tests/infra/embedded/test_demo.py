"""The tour on an embedded platform."""

import gzip
import json
import os
import subprocess
import sys

import pytest

from command_api.catalogue.demo.lines import DEMO
from infra.config import PREFIX
from infra.platform.processes import HOME
from tests.infra.embedded.conftest import leftovers

KEEP_EVERY_NTH = 20
SEARCHED_TITLES = ("The Godfather", "Léon: The Professional", "Désirée")


@pytest.fixture
def catalogue(open_path):
    """A twentieth of the shipped movies, and those that the tour searches for."""
    path = open_path / "catalogue.jsonl"
    with gzip.open(DEMO, "rt") as shipped, path.open("w") as sample:
        for nth, line in enumerate(shipped):
            if nth % KEEP_EVERY_NTH == 0 or json.loads(line)["title"] in SEARCHED_TITLES:
                sample.write(line)
    return path


@pytest.mark.slow
@pytest.mark.usefixtures("embedded_engines")
def test_embedded_tour_succeeds_and_leaves_no_process(open_path, catalogue):
    environ = {name: value for name, value in os.environ.items() if PREFIX not in name}
    result = subprocess.run(
        [sys.executable, "-m", "infra.demo", "--mode", "embedded", "--catalogue", str(catalogue)],
        cwd=HOME,
        env=environ | {"MARQUEE_STATE_DIR": str(open_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "steps succeeded" in result.stdout
    verified = result.stdout.partition("manage.py verify --all")[2]
    assert "equal" in verified
    assert "differ" not in verified
    assert leftovers(open_path / "demo-embedded") == []
