"""CI workflow: pinned actions, few rights, existing targets."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest
import yaml

from infra.config import PREFIX, Config
from infra.services.addresses import BUS_ADMIN, VARIABLES
from infra.tools.lock_files import PYTHONS
from tests.__main__ import FAULT_LANE, MAIN_LANE
from tests.lane import PATHS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / ".github/workflows/ci.yml").read_text()
WORKFLOW = yaml.safe_load(TEXT)
JOBS = WORKFLOW["jobs"]
TESTS = [name for name in JOBS if name.startswith("test")]
DOCKERFILE = (ROOT / "infra/docker/Dockerfile").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = {line.partition(" ")[0] for line in MAKEFILE.splitlines()} | set(MAKEFILE.splitlines())


def test_workflow_has_read_only_permissions_by_default():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert {name for name, job in JOBS.items() if "permissions" in job} == {"image"}


@pytest.mark.parametrize("name", JOBS)
def test_every_job_has_a_timeout(name):
    assert JOBS[name]["timeout-minutes"] <= 30


@pytest.mark.parametrize("name", JOBS)
def test_actions_are_pinned_by_hash(name):
    for step in JOBS[name]["steps"]:
        if "uses" in step:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"])


def test_every_pinned_action_names_its_version():
    for line in TEXT.splitlines():
        if "uses:" in line:
            assert re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


@pytest.mark.parametrize("name", JOBS)
def test_workflow_runs_existing_make_targets(name):
    for step in JOBS[name]["steps"]:
        for line in step.get("run", "").splitlines():
            if line.startswith("make "):
                for target in (word for word in line.split()[1:] if "=" not in word):
                    assert re.search(
                        rf"^{re.escape(target)}:|^STAMP := {target}$", MAKEFILE, re.MULTILINE
                    )


def test_workflow_names_existing_paths():
    for path in re.findall(r"\b(?:tests|infra)/[\w/.-]+", TEXT):
        assert (ROOT / path).exists(), path


def lanes(name):
    """Runs of the lane that a job runs."""
    commands = "\n".join(step.get("run", "") for step in JOBS[name]["steps"])
    [runs] = re.findall(r"^make test-lane ONLY=([\w,]+)$", commands, re.MULTILINE)
    return runs.split(",")


def test_every_lane_runs_in_a_job_with_its_servers():
    """The fault tests kill servers, so they have a job of their own."""
    assert lanes("test") == MAIN_LANE
    assert lanes("test-faults") == FAULT_LANE
    assert {*MAIN_LANE, *FAULT_LANE} == set(PATHS)


@pytest.mark.parametrize("name", TESTS)
def test_test_jobs_may_install_packages(name):
    """Jobs run as root on Debian with an init process that reaps killed children."""
    image = JOBS[name]["container"]["image"]
    assert f"FROM {image.replace('-', '-slim-')}\n" in DOCKERFILE
    assert "--init" in JOBS[name]["container"]["options"].split()
    assert "--user" not in JOBS[name]["container"]["options"]


@pytest.mark.parametrize("name", TESTS)
def test_test_jobs_set_only_known_variables(name):
    known_variables = {PREFIX + field.encode_name for field in msgspec.structs.fields(Config)}
    assert JOBS[name]["env"].keys() <= known_variables | {"CI", BUS_ADMIN}
    assert JOBS[name]["env"]["CI"] == "true"


def test_service_addresses_match_the_jobs_services():
    """Every server has an address: a missing one would be started beside the services."""
    addresses = {name: value for name, value in JOBS["test"]["env"].items() if name != "CI"}
    assert addresses.keys() == {*VARIABLES.values(), "MARQUEE_VAULT_URL", BUS_ADMIN}
    assert {urlsplit(url).hostname for url in addresses.values()} == JOBS["test"]["services"].keys()
    bus, admin = (urlsplit(addresses[name]) for name in (VARIABLES["rabbitmq"], BUS_ADMIN))
    assert (admin.hostname, admin.username) == (bus.hostname, bus.username)


def test_servers_are_those_of_compose():
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    images = {service["image"] for service in compose.values() if "build" not in service}
    assert {service["image"] for service in JOBS["test"]["services"].values()} == images


def test_fault_lane_gets_no_service_containers():
    assert JOBS["test-faults"]["env"] == {"CI": "true"}
    assert "services" not in JOBS["test-faults"]


def test_first_run_is_tested_with_every_supported_python():
    assert JOBS["pythons"]["strategy"]["matrix"] == {"python": PYTHONS}
    [command] = [step["run"] for step in JOBS["pythons"]["steps"] if "run" in step]
    assert 'make test-python "V=$VERSION"' in command
    assert re.search(r"^test-python:", MAKEFILE, re.MULTILINE)


def test_image_is_built_after_all_tests():
    assert {"lint", "types", "docs", "pythons", *TESTS} <= set(JOBS["image"]["needs"])


def test_workflow_runs_every_target_of_make_check():
    [prerequisites] = re.findall(r"^check: ([a-z -]+) ##", MAKEFILE, re.MULTILINE)
    assert set(prerequisites.split()) == set(re.findall(r"check-[a-z-]+", TEXT))


def test_ci_script_runs_check_and_test():
    script = (ROOT / ".ci/run").read_text()
    assert "set -euo pipefail" in script
    assert re.findall(r"^make (?:--[\w=-]+ )+([\w -]+) \|\|", script, re.MULTILINE) == [
        "check test-servers",
        "test",
    ]
