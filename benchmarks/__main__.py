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
"""In order: the later ones find ratings and read models as the earlier ones left them."""

WIDTH = 180
"""Of the table where there is no terminal to ask."""

_ON_STAGE = {"import", "memory", "query", "visibility", "commands"}


def main() -> int:
    """Measure, show and keep; exit status 1 if a gate was missed."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=GROUPS, metavar="NAME", help=", ".join(GROUPS))
    parser.add_argument(
        "--ratings", type=Path, metavar="DIR", help="MovieLens files; without: made up ones"
    )
    parser.add_argument(
        "--events", type=int, default=EVENTS, help="ratings of the log that is rebuilt from"
    )
    parser.add_argument(
        "--films", type=int, default=syncing.FILMS, help="that are fetched from a TMDb of ours"
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
    console.print(f"Kept in {keep(bench.rows, machine, ratings=ratings_name)}", highlight=False)
    for failure in bench.failures:
        console.print(f"[red]Not measured:[/] {escape(failure)}", highlight=False)
    return 0 if all(row.passes for row in bench.rows) and not bench.failures else 1


class _Bench:
    """Rows as they come; a group that fails takes no other with it."""

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
        """All groups asked for."""
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
        # Whatever is measured, it is measured on a platform that holds the ratings.
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
            for row in self.rows[before:]:  # a long run may be cut short
                self._console.print(f"  {row.said}", highlight=False)
        except Exception as error:  # noqa: BLE001 - said in the end; the other groups count
            self.failures.append(f"{name}: {error!r}")


def _embedded(ratings: Path) -> Iterable[Measurement]:
    with embedded_stage(ratings) as running_stage:
        manage(running_stage.platform, "import_movielens", str(ratings), "--until-now")
        manage(running_stage.platform, "lag", "--wait", "300")
        yield from query.rows(running_stage)


if __name__ == "__main__":
    sys.exit(main())
