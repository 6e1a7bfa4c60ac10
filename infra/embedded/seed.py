"""Seed data of a new platform: movies, a simulated community and their lists."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from infra.platform.processes import Process, manage
from infra.platform.supervisor import Supervisor
from infra.platform.topology import Platform
from infra.services.errors import DidNotStart

PEOPLE = 300


class SeedStep(NamedTuple):
    """A management command that runs once."""

    name: str
    what: str
    arguments: Sequence[str]


STEPS = (
    SeedStep("catalogue", "36,273 movies", ("import_catalogue", "demo")),
    SeedStep(
        "community",
        f"ratings by {PEOPLE} simulated users",
        ("simulate_community", "--people", str(PEOPLE)),
    ),
    SeedStep("lists", "built from these", ("lag", "--wait", "120")),
)


def fill(
    platform: Platform, directory: Path, supervisor: Supervisor, steps: Sequence[SeedStep]
) -> None:
    """Run each step once; resume an interrupted one. Raises DidNotStart, Stopped."""
    for name, what, arguments in steps:
        done = directory / f"{name}-filled"
        if not done.exists():
            supervisor.say(name, what)
            _run(platform, directory, supervisor, name, *arguments)
            done.touch()


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
