"""``make demo``: starts a platform and runs the tour of its features."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

from infra.demo.rating_steps import tour
from infra.demo.reporter import Narration, TourFailed
from infra.embedded import startup as embedded
from infra.platform.topology import Platform, platform
from infra.services import ServiceError, ensure, private_redis
from infra.services.paths import state_dir


def main() -> int:
    """Run the tour; exit status 0 only if every step succeeded."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument(
        "--mode", choices=list(MODES), default="embedded", help="engines to run on (make: MODE=)"
    )
    parser.add_argument(
        "--catalogue",
        default="demo",
        metavar="FILE",
        help="movies to import instead of the shipped ones (make: CATALOGUE=)",
    )
    parser.add_argument(
        "--ratings", type=Path, metavar="DIR", help="directory of MovieLens files, any release"
    )
    parser.add_argument(
        "--tmdb",
        choices=["", "fake"],
        default="",
        help="synchronise with a fake TMDb server (make: TMDB=); needs --mode native",
    )
    arguments = parser.parse_args()
    if arguments.tmdb and arguments.mode != "native":
        parser.error("TMDB=fake needs MODE=native: Celery needs RabbitMQ.")
    if arguments.ratings and not arguments.ratings.is_dir():
        parser.error(f"{arguments.ratings} is no directory")
    narration = Narration(Console())
    try:
        with MODES[arguments.mode](narration) as started:
            directory = state_dir() / "demo" if arguments.tmdb else None
            tour(started, narration, arguments.catalogue, arguments.ratings, directory)
    except (ServiceError, TourFailed) as error:
        narration.fail(str(error))
        return 1
    narration.end()
    return 0


@contextmanager
def _embedded(narration: Narration) -> Iterator[Platform]:
    """A platform in its own data directory, emptied first; other platforms may run beside it."""
    with ExitStack() as stack:
        with narration.step("PostgreSQL and Redis from wheels, keys, and the platform's processes"):
            directory = state_dir() / "demo-embedded"
            started = stack.enter_context(embedded.platform(directory, fresh=True))
            _introduce(started, narration)
        yield started


@contextmanager
def _native(narration: Narration) -> Iterator[Platform]:
    with ExitStack() as stack:
        with narration.step("PostgreSQL, RabbitMQ, Redis and Elasticsearch"):
            servers = ensure()
            redis_url = stack.enter_context(private_redis())
            servers = servers.on_redis(redis_url)
        with narration.step("An empty log, keys, and the platform's processes"):
            started = stack.enter_context(
                platform(servers, state_dir() / "demo", name="marquee_demo", fresh=True)
            )
            _introduce(started, narration)
        yield started


def _introduce(started: Platform, narration: Narration) -> None:
    for process in started.processes.values():
        narration.say(f"{process.name:<10} process {process.pid}, {process.log}")


MODES: dict[str, Callable[[Narration], AbstractContextManager[Platform]]] = {
    "embedded": _embedded,
    "native": _native,
}


if __name__ == "__main__":
    sys.exit(main())
