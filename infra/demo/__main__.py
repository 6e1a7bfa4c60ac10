"""How is the tour started?"""

import argparse
import os
import sys
from contextlib import ExitStack
from pathlib import Path

import msgspec
from rich.console import Console

from infra.demo.narration import Narration, TourFailed
from infra.demo.tour import tour
from infra.platform.native import platform
from infra.platform.processes import HOME, DidNotStart
from infra.services import ServiceError, as_query, ensure, private_redis

DIRECTORY = HOME / ".state" / "demo"


def main() -> int:
    """Take the tour; exit status 0 only if each step did what it should."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--mode", choices=["native"], default="native", help="which engines")
    parser.add_argument(
        "--ratings", type=Path, metavar="DIR", help="movies.csv and ratings.csv of MovieLens"
    )
    arguments = parser.parse_args()
    # Its simulated people all come from one address.
    os.environ.setdefault("MARQUEE_THROTTLE_LOGIN_PER_MINUTE", "1000")
    if arguments.ratings and not (arguments.ratings / "ratings.csv").exists():
        parser.error(f"{arguments.ratings} has no ratings.csv")
    narration = Narration(Console())
    try:
        _run(narration, arguments.ratings)
    except (ServiceError, DidNotStart, TourFailed) as error:
        narration.fail(str(error))
        return 1
    narration.end()
    return 0


def _run(narration: Narration, ratings: Path | None) -> None:
    with ExitStack() as stack:
        with narration.step("PostgreSQL, RabbitMQ, Redis and Elasticsearch"):
            servers = ensure()
            redis_url = stack.enter_context(private_redis())
            servers = msgspec.structs.replace(
                servers, redis=redis_url, query_redis=as_query(redis_url)
            )
        with narration.step("An empty log, keys, and our processes"):
            found = stack.enter_context(
                platform(servers, DIRECTORY, name="marquee_demo", fresh=True)
            )
            for process in found.processes.values():
                narration.say(f"{process.name:<10} process {process.pid}, {process.log}")
        tour(found, narration, ratings)


if __name__ == "__main__":
    sys.exit(main())
