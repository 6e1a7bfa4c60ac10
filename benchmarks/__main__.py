"""What can be measured, and in which order?"""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from benchmarks import append, commands, imports, query, relay_row, visibility
from benchmarks.made_ratings import make
from benchmarks.report import describe, keep, show
from benchmarks.row import Row
from benchmarks.stage import embedded_stage, manage, stage
from infra.services import Addresses, ensure

GROUPS = ("append", "relay", "import", "query", "visibility", "commands")
"""In order: the later ones find ratings and read models as the earlier ones left them."""

_ON_STAGE = {"import", "query", "visibility", "commands"}


def main() -> int:
    """Measure, show and keep; exit status 1 if a gate was missed."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=GROUPS, metavar="NAME", help=", ".join(GROUPS))
    parser.add_argument(
        "--ratings", type=Path, metavar="DIR", help="MovieLens files; without: made up ones"
    )
    arguments = parser.parse_args()
    groups = [group for group in GROUPS if not arguments.only or group in arguments.only]
    console = Console()
    load_before = os.getloadavg()[0]
    with ExitStack() as stack:
        ratings = arguments.ratings
        if ratings is None:
            ratings = Path(stack.enter_context(TemporaryDirectory()))
            make(ratings)
        found = list(_measured(groups, ensure(), ratings, console))
    machine = describe(load_before)
    show(found, machine, console)
    said = str(arguments.ratings.name) if arguments.ratings else "made up"
    console.print(f"Kept in {keep(found, machine, ratings=said)}", highlight=False)
    return 0 if all(row.passes for row in found) else 1


def _measured(
    groups: Sequence[str], servers: Addresses, ratings: Path, console: Console
) -> Iterable[Row]:
    for name, rows in (("append", append.rows), ("relay", relay_row.rows)):
        if name in groups:
            console.print(f"Measuring {name} ...")
            yield from rows(servers)
    if _ON_STAGE & set(groups):
        yield from _measured_on_stage(groups, servers, ratings, console)
    if "query" in groups:
        yield from _measured_embedded(ratings, console)


def _measured_on_stage(
    groups: Sequence[str], servers: Addresses, ratings: Path, console: Console
) -> Iterable[Row]:
    console.print("Starting a platform ...")
    with stage(servers, ratings) as found:
        # Whatever is measured, it is measured on a platform that holds the ratings.
        console.print("Measuring import ...")
        imported = list(imports.rows(found))
        if "import" in groups:
            yield from imported
        for name, rows in (
            ("query", query.rows),
            ("visibility", visibility.rows),
            ("commands", commands.rows),
        ):
            if name in groups:
                console.print(f"Measuring {name} ...")
                yield from rows(found)


def _measured_embedded(ratings: Path, console: Console) -> Iterable[Row]:
    console.print("Starting an embedded platform ...")
    with embedded_stage(ratings) as found:
        manage(found.platform, "import_movielens", str(ratings), "--until-now")
        manage(found.platform, "lag", "--wait", "300")
        console.print("Measuring query, embedded ...")
        yield from query.rows(found)


if __name__ == "__main__":
    sys.exit(main())
