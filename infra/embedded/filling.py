"""What is put in a new platform, so that lists aren't empty?"""

from pathlib import Path

from infra.platform.processes import DidNotStart, Process, manage
from infra.platform.running import Platform
from infra.platform.supervisor import Supervisor

PEOPLE = 300
STEPS = (
    ("catalogue", "36,273 movies", ("import_catalogue", "demo")),
    (
        "community",
        f"simulated: ratings by {PEOPLE} people who don't exist",
        ("simulate_community", "--people", str(PEOPLE)),
    ),
)
LEVEL_SECONDS = 120


def fill(found: Platform, directory: Path, supervisor: Supervisor) -> None:
    """Take each step once; one that was interrupted goes on. Raises DidNotStart, Stopped."""
    for name, what, arguments in STEPS:
        done = directory / f"{name}-filled"
        if not done.exists():
            supervisor.say(name, what)
            _run(found, directory, supervisor, *arguments)
            done.touch()


def wait_until_level(found: Platform, directory: Path, supervisor: Supervisor) -> None:
    """Return when the read models have taken in all that there is."""
    _run(found, directory, supervisor, "lag", "--wait", str(LEVEL_SECONDS))


def _run(found: Platform, directory: Path, supervisor: Supervisor, *arguments: str) -> None:
    process = Process(
        name=arguments[0],
        command=manage(*arguments),
        environ={**found.environ, "MARQUEE_ROLE": "ops"},
        log=directory / "logs" / f"{arguments[0]}.log",
        home=directory / "processes" / "step",
    )
    if status := supervisor.run(process):
        words = process.last_words()
        raise DidNotStart(f"manage.py {' '.join(arguments)} ended with {status}:\n{words}")
