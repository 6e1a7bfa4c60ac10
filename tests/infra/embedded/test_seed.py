"""Seed data: each step runs once, also when interrupted."""

from pathlib import Path
from threading import Event, Thread

import pytest

from command_api.catalogue.demo import lines
from infra.embedded import seed
from infra.embedded.seed import STEPS, SeedStep, fill
from infra.platform.supervisor import Stopped, Supervisor
from infra.platform.topology import Platform
from infra.services.errors import DidNotStart
from tests.fixtures.waiting import until

NOTHING = Platform(command_url="", query_url="", environ={}, processes={})


@pytest.fixture(autouse=True)
def _steps_are_shell(monkeypatch) -> None:
    monkeypatch.setattr(seed, "manage", lambda script: ["sh", "-c", script])


class Filled:
    """Directory to seed, with the steps run and the messages shown."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.messages: list[str] = []
        self._done = directory / "done"
        self._done.touch()

    def step(self, name: str, command: str = "", version: str = "") -> SeedStep:
        return SeedStep(
            name,
            f"all of the {name}",
            (f"echo {name} >> {self._done}; {command}",),
            version,
            f"new {name}",
            (f"echo {name}-update >> {self._done}; {command}",),
        )

    def fill(self, *steps: SeedStep, stopping: Event | None = None) -> None:
        def say(subject: str, news: str) -> None:
            self.messages.append(f"{subject}: {news}")

        supervisor = Supervisor(stopping or Event(), say)
        fill(NOTHING, self.directory, supervisor, steps)

    @property
    def done(self) -> list[str]:
        return self._done.read_text().split()


@pytest.fixture
def filled(tmp_path) -> Filled:
    return Filled(tmp_path)


def test_each_seed_step_runs_once_and_is_shown(filled):
    steps = filled.step("catalogue", "echo half of it"), filled.step("community")
    filled.fill(*steps)
    filled.fill(*steps)
    assert filled.done == ["catalogue", "community"]
    assert filled.messages == [
        "catalogue: all of the catalogue",
        "catalogue: half of it",
        "community: all of the community",
    ]


def test_seeding_resumes_at_the_interrupted_step(filled, tmp_path):
    patient = filled.step("community", f"test -e {tmp_path}/again || exec sleep 600")
    steps = filled.step("catalogue"), patient, filled.step("lists")
    stopping = Event()

    def interrupt() -> None:
        until(lambda: "community" in filled.done)
        stopping.set()

    interrupter = Thread(target=interrupt)
    interrupter.start()
    with pytest.raises(Stopped):
        filled.fill(*steps, stopping=stopping)
    interrupter.join()
    assert filled.done == ["catalogue", "community"]
    (tmp_path / "again").touch()
    filled.fill(*steps)
    assert filled.done == ["catalogue", "community", "community", "lists"]


def test_changed_version_of_a_seed_step_updates_once_what_an_earlier_start_made(filled):
    (filled.directory / "catalogue-filled").touch()  # as versions before wrote it
    for version in ("1", "1", "2", "2"):
        filled.fill(filled.step("catalogue", version=version), filled.step("community"))
    assert filled.done == ["catalogue-update", "community", "catalogue-update"]
    assert filled.messages == [
        "catalogue: new catalogue",
        "community: all of the community",
        "catalogue: new catalogue",
    ]


def test_failed_update_of_a_seed_step_is_repeated_at_the_next_start(filled, tmp_path):
    filled.fill(filled.step("catalogue", version="1"))
    failing = filled.step("catalogue", f"test -e {tmp_path}/again", version="2")
    with pytest.raises(DidNotStart):
        filled.fill(failing)
    (tmp_path / "again").touch()
    filled.fill(failing)
    filled.fill(failing)
    assert filled.done == ["catalogue", "catalogue-update", "catalogue-update"]


def test_catalogue_of_an_earlier_version_is_corrected_and_not_imported_again():
    [catalogue] = (step for step in STEPS if step.name == "catalogue")
    assert catalogue.arguments == ("import_catalogue", "demo")
    assert catalogue.update == ("correct_catalogue",)
    assert catalogue.version == lines.version_of()


def test_platform_of_an_earlier_version_is_ready_when_all_is_built_again():
    *_, lists = STEPS
    assert lists.name == "lists"
    assert lists.update == lists.arguments == ("lag", "--wait", "300")
    assert lists.version == lines.version_of()


def test_failed_seed_step_is_reported_and_retried(filled, tmp_path):
    step = filled.step("catalogue", f"test -e {tmp_path}/again || {{ echo no disk; exit 3; }}")
    with pytest.raises(DidNotStart, match=r"(?s)ended with 3:\nno disk"):
        filled.fill(step)
    (tmp_path / "again").touch()
    filled.fill(step)
    assert filled.done == ["catalogue", "catalogue"]


def test_simulated_community_is_announced_before_it_is_made():
    [community] = (step for step in STEPS if step.name == "community")
    assert community.what == "ratings by 300 simulated users"
