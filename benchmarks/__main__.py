"""``make bench``: runs the benchmarks in order, prints their table and saves it."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.markup import escape

from benchmarks import (
    append,
    commands,
    import_memory,
    imports,
    memory,
    projecting_row,
    query,
    rebuilding,
    relay_row,
    syncing,
    tokens,
    visibility,
)
from benchmarks.generated_log import EVENTS
from benchmarks.generated_ratings import make
from benchmarks.measurement import Measurement
from benchmarks.report import describe, keep, show
from benchmarks.stage import Stage, embedded_stage, manage, stage
from benchmarks.versions import versions
from infra.services import Addresses, ensure

GROUPS = (
    *("tokens", "append", "relay", "projecting", "rebuild", "sync", "import-memory"),
    *("import", "memory", "query", "visibility", "commands"),
)
"""In order of execution: later groups use the ratings and read models of earlier ones."""

WIDTH = 180
"""Width of the table if there is no terminal."""

_ON_STAGE = {"import", "memory", "query", "visibility", "commands"}


def main() -> int:
    """Run the benchmarks; exit status 1 if a gate was missed or a group failed."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=GROUPS, metavar="NAME", help=", ".join(GROUPS))
    parser.add_argument(
        "--ratings",
        type=Path,
        metavar="DIR",
        help="directory of MovieLens files; generated ones by default",
    )
    parser.add_argument(
        "--events", type=int, default=EVENTS, help="number of ratings in the log of the rebuild"
    )
    parser.add_argument(
        "--films",
        type=int,
        default=syncing.FILMS,
        help="number of films fetched from the fake TMDb",
    )
    arguments = parser.parse_args()
    groups = [group for group in GROUPS if not arguments.only or group in arguments.only]
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    load_before = os.getloadavg()[0]
    bench = _Bench(console)
    with ExitStack() as stack:
        ratings = arguments.ratings
        if ratings is None:
            ratings = Path(stack.enter_context(TemporaryDirectory()))
            make(ratings)
        servers = ensure()
        of_servers = versions(servers)
        bench.measure(groups, servers, ratings, events=arguments.events, films=arguments.films)
    machine = describe(load_before, of_servers)
    show(bench.rows, machine, console)
    ratings_name = str(arguments.ratings.name) if arguments.ratings else "made up"
    console.print(f"Saved in {keep(bench.rows, machine, ratings=ratings_name)}", highlight=False)
    for failure in bench.failures:
        console.print(f"[red]Not measured:[/] {escape(failure)}", highlight=False)
    return 0 if all(row.passes for row in bench.rows) and not bench.failures else 1


class _Bench:
    """Runs groups and collects their rows; one that fails does not stop the others."""

    def __init__(self, console: Console) -> None:
        self.rows: list[Measurement] = []
        self.failures: list[str] = []
        self._console = console

    def measure(
        self,
        groups: Sequence[str],
        servers: Addresses,
        ratings: Path,
        *,
        events: int,
        films: int,
    ) -> None:
        """Run the requested groups."""
        if "tokens" in groups:
            self._group("tokens", tokens.rows)
        if "append" in groups:
            self._group("append", lambda: append.rows(servers))
        if "relay" in groups:
            self._group("relay", lambda: relay_row.rows(servers))
        if "projecting" in groups:
            self._group("projecting", lambda: projecting_row.rows(servers))
        if "rebuild" in groups:
            self._group("rebuild", lambda: rebuilding.rows(servers, events=events))
        if "sync" in groups:
            self._group("sync", lambda: syncing.rows(servers, films=films))
        if "import-memory" in groups:
            self._group("import-memory", lambda: import_memory.rows(servers))
        if _ON_STAGE & set(groups):
            self._console.print("Starting a platform ...")
            with stage(servers, ratings) as running_stage:
                self._on_stage(groups, running_stage)
        if "query" in groups:
            self._group("query, embedded", lambda: _embedded(ratings))
            self.rows = query.side_by_side(self.rows)

    def _on_stage(self, groups: Sequence[str], running_stage: Stage) -> None:
        # Always imported: all groups are measured on a platform with ratings.
        self._group("import", lambda: imports.rows(running_stage))
        if "memory" in groups:
            self._group("memory", lambda: memory.rows(running_stage))
        if "query" in groups:
            self._group("query", lambda: query.rows(running_stage))
        if "visibility" in groups:
            self._group("visibility", lambda: visibility.rows(running_stage))
        if "commands" in groups:
            self._group("commands", lambda: commands.rows(running_stage))

    def _group(self, name: str, rows: Callable[[], Iterable[Measurement]]) -> None:
        self._console.print(f"Measuring {name} ...")
        before = len(self.rows)
        try:
            self.rows += rows()
            for row in self.rows[before:]:  # in case a long run is interrupted
                self._console.print(f"  {row.summary}", highlight=False)
        except Exception as error:  # noqa: BLE001 - reported at the end; the other groups go on
            self.failures.append(f"{name}: {error!r}")


def _embedded(ratings: Path) -> Iterable[Measurement]:
    with embedded_stage(ratings) as running_stage:
        manage(running_stage.platform, "import_movielens", str(ratings), "--until-now")
        manage(running_stage.platform, "lag", "--wait", "300")
        yield from query.rows(running_stage)


if __name__ == "__main__":
    sys.exit(main())
