"""Does CI run only pinned actions, with few rights, and only targets that exist?"""

import re
from pathlib import Path

import msgspec
import pytest
import yaml

from infra.config import PREFIX, Config

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / ".github/workflows/ci.yml").read_text()
WORKFLOW = yaml.safe_load(TEXT)
JOBS = WORKFLOW["jobs"]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = {line.partition(" ")[0] for line in MAKEFILE.splitlines()} | set(MAKEFILE.splitlines())


def test_may_only_read_by_default():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert {name for name, job in JOBS.items() if "permissions" in job} == {"image"}


@pytest.mark.parametrize("name", JOBS)
def test_ends_by_itself(name):
    assert JOBS[name]["timeout-minutes"] <= 30


@pytest.mark.parametrize("name", JOBS)
def test_actions_are_pinned_by_hash(name):
    for step in JOBS[name]["steps"]:
        if "uses" in step:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"])


def test_every_pin_says_which_version_it_is():
    for line in TEXT.splitlines():
        if "uses:" in line:
            assert re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


@pytest.mark.parametrize("name", JOBS)
def test_runs_targets_that_exist(name):
    for step in JOBS[name]["steps"]:
        for line in step.get("run", "").splitlines():
            if line.startswith("make "):
                for target in line.split()[1:]:
                    assert re.search(
                        rf"^{re.escape(target)}:|^STAMP := {target}$", MAKEFILE, re.MULTILINE
                    )


def test_asks_for_paths_that_exist():
    for path in re.findall(r"\b(?:tests|infra)/[\w/.-]+", TEXT):
        assert (ROOT / path).exists(), path


def test_the_tests_get_variables_that_are_read():
    known = {PREFIX + field.encode_name for field in msgspec.structs.fields(Config)}
    given = {name for name in JOBS["test"]["env"] if name.startswith(PREFIX)}
    assert given <= known
    assert JOBS["test"]["env"]["CI"] == "true"


def test_every_target_of_make_check_runs():
    [wanted] = re.findall(r"^check: ([a-z -]+) ##", MAKEFILE, re.MULTILINE)
    assert set(wanted.split()) == set(re.findall(r"check-[a-z]+", TEXT))


def test_the_script_on_a_bare_machine_runs_the_same():
    script = (ROOT / ".ci/run").read_text()
    assert "set -euo pipefail" in script
    assert re.findall(r"^make (?:--[\w-]+ )+(\w+)", script, re.MULTILINE) == [
        "check",
        "test",
    ]
