"""Seed data of a new platform: movies, a simulated community and their lists.

A platform that an earlier version seeded gets the corrections of the movies at its next start, and
is ready when all read models have them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from infra.platform.demo_catalogue import CORRECT, IMPORT, catalogue_version
from infra.platform.processes import Process, manage
from infra.platform.supervisor import Supervisor
from infra.platform.topology import Platform
from infra.services.errors import DidNotStart

PEOPLE = 300


class SeedStep(NamedTuple):
    """A management command that runs once; with a version, another one updates what it made."""

    name: str
    what: str
    arguments: Sequence[str]
    version: str = ""
    update_what: str = ""
    update: Sequence[str] = ()


_LEVEL = ("lag", "--wait", "300")
_VERSION = catalogue_version()

STEPS = (
    SeedStep(
        "catalogue",
        "36,273 movies",
        IMPORT,
        version=_VERSION,
        update_what="corrections of this version",
        update=CORRECT,
    ),
    SeedStep(
        "community",
        f"ratings by {PEOPLE} simulated users",
        ("simulate_community", "--people", str(PEOPLE)),
    ),
    SeedStep(
        "lists",
        "built from these",
        _LEVEL,
        version=_VERSION,
        update_what="built by this version",
        update=_LEVEL,
    ),
)


def fill(
    platform: Platform, directory: Path, supervisor: Supervisor, steps: Sequence[SeedStep]
) -> None:
    """Run each step once for its version; resume an interrupted one.

    Raises DidNotStart, Stopped.
    """
    for step in steps:
        done = directory / f"{step.name}-filled"
        if not done.exists():
            supervisor.say(step.name, step.what)
            _run(platform, directory, supervisor, step.name, *step.arguments)
        elif done.read_text() != step.version:
            supervisor.say(step.name, step.update_what)
            _run(platform, directory, supervisor, step.name, *step.update)
        done.write_text(step.version)


def _run(
    platform: Platform, directory: Path, supervisor: Supervisor, name: str, *arguments: str
) -> None:
    process = Process(
        name=name,
        command=manage(*arguments),
        environ={**platform.environ, "MARQUEE_ROLE": "ops"},
        log=directory / "logs" / f"{name}.log",
        home=directory / "processes" / "step",
    )
    if status := supervisor.run(process):
        words = process.log_tail()
        raise DidNotStart(f"manage.py {' '.join(arguments)} ended with {status}:\n{words}")
