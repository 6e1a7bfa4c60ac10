"""``make demo``: starts a platform and takes the tour on it."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import msgspec
from rich.console import Console

from infra.demo.rating_steps import tour
from infra.demo.reporter import Narration, TourFailed
from infra.embedded import startup as embedded
from infra.platform.topology import Platform, platform
from infra.services import ServiceError, as_query, ensure, private_redis
from infra.services.paths import state_dir


def main() -> int:
    """Take the tour; exit status 0 only if each step did what it should."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument(
        "--mode", choices=list(MODES), default="embedded", help="on which engines (make: MODE=)"
    )
    parser.add_argument(
        "--ratings", type=Path, metavar="DIR", help="MovieLens files, of whatever release"
    )
    parser.add_argument(
        "--tmdb",
        choices=["", "fake"],
        default="",
        help="with a TMDb that pretends (make: TMDB=); needs --mode native",
    )
    arguments = parser.parse_args()
    if arguments.tmdb and arguments.mode != "native":
        parser.error("TMDB=fake needs MODE=native: Celery works over RabbitMQ there.")
    if arguments.ratings and not arguments.ratings.is_dir():
        parser.error(f"{arguments.ratings} is no directory")
    narration = Narration(Console())
    try:
        with MODES[arguments.mode](narration) as found:
            directory = state_dir() / "demo" if arguments.tmdb else None
            tour(found, narration, arguments.ratings, directory)
    except (ServiceError, TourFailed) as error:
        narration.fail(str(error))
        return 1
    narration.end()
    return 0


@contextmanager
def _embedded(narration: Narration) -> Iterator[Platform]:
    """In a directory of its own, emptied first; beside whatever else runs."""
    with ExitStack() as stack:
        with narration.step("PostgreSQL and Redis from wheels, keys, and our processes"):
            directory = state_dir() / "demo-embedded"
            found = stack.enter_context(embedded.platform(directory, fresh=True))
            _introduce(found, narration)
        yield found


@contextmanager
def _native(narration: Narration) -> Iterator[Platform]:
    with ExitStack() as stack:
        with narration.step("PostgreSQL, RabbitMQ, Redis and Elasticsearch"):
            servers = ensure()
            redis_url = stack.enter_context(private_redis())
            servers = msgspec.structs.replace(
                servers, redis=redis_url, query_redis=as_query(redis_url)
            )
        with narration.step("An empty log, keys, and our processes"):
            found = stack.enter_context(
                platform(servers, state_dir() / "demo", name="marquee_demo", fresh=True)
            )
            _introduce(found, narration)
        yield found


def _introduce(found: Platform, narration: Narration) -> None:
    for process in found.processes.values():
        narration.say(f"{process.name:<10} process {process.pid}, {process.log}")


MODES: dict[str, Callable[[Narration], AbstractContextManager[Platform]]] = {
    "embedded": _embedded,
    "native": _native,
}


if __name__ == "__main__":
    sys.exit(main())
