"""How is the log looked at, described, taken away, brought back and checked?"""

import json
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any, Literal

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

from events import codec
from events.archive import archive
from events.integrity import faults
from events.log_query import Selection, following, last
from events.notifications import listening, log_channel
from events.recorded import Stored
from events.reference import asyncapi
from events.reference.examples import golden
from events.store import EventStore
from events.store.integrity_queries import Sweep
from events.store.postgres import PostgresStore
from events.store.restore import NotNext, RestorableStore
from infra import clients
from infra.config import config

_POLL_SECONDS = 0.5


class Command(BaseCommand):
    """``manage.py events``"""

    help = "Look at the log of events, and check it."

    def add_arguments(self, parser: CommandParser) -> None:
        """One word for each thing to do."""
        actions = parser.add_subparsers(dest="action", required=True)
        log = actions.add_parser("log", help="the last events, in the order they were recorded")
        log.add_argument("--follow", action="store_true", help="go on with those that come")
        log.add_argument("--last", type=int, default=20, metavar="N", help="how many (20)")
        log.add_argument("--type", help="such as movie-rated; with .v1 or without")
        log.add_argument("--stream", help="such as movie-25")
        log.add_argument("--user", help="a user's id: what is in streams of their own")
        log.add_argument("--json", action="store_true", help="as they are on the bus")
        export = actions.add_parser("export", help="write all of it to a file")
        export.add_argument("file", type=Path, help="JSON lines; packed if the name ends in .gz")
        bring = actions.add_parser(
            "import",
            help="bring an export into an empty log with as many partitions; run again after an"
            " interruption, it goes on. Then: rebuild catalogue-tables, rebuild --all",
        )
        bring.add_argument("file", type=Path)
        actions.add_parser("describe", help="all that can happen, as an AsyncAPI document in JSON")
        actions.add_parser("verify", help="read all of it; exit 1 and say what is wrong, if any")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the first word says."""
        store = PostgresStore(config().partitions)
        action: Literal["log", "export", "import", "describe", "verify"] = options["action"]
        match action:
            case "log":
                self._log(store, options)
            case "export":
                self._export(store, options["file"])
            case "import":
                self._import(options["file"])
            case "describe":
                self._describe()
            case "verify":
                self._verify()

    def _log(self, store: EventStore, options: dict[str, Any]) -> None:
        selection = Selection(options["type"], options["stream"], options["user"])
        write = self._write_json if options["json"] else self._write_line
        seen = dict(enumerate(store.heads()))
        try:
            for stored in last(store, selection, options["last"]):
                write(stored)
                seen[stored.partition] = max(seen[stored.partition], stored.offset)
            if options["follow"]:
                self._follow(store, selection, seen, write)
        except (KeyboardInterrupt, BrokenPipeError):
            return

    def _follow(
        self,
        store: EventStore,
        selection: Selection,
        seen: dict[int, int],
        write: Callable[[Stored], None],
    ) -> None:
        with listening(clients.redis(), log_channel()) as hints:
            while True:
                for stored in following(store, selection, seen):
                    write(stored)
                self.stdout.flush()
                hints.wait(_POLL_SECONDS)

    def _write_line(self, stored: Stored) -> None:
        at = stored.recorded_at.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds")
        place = f"{stored.partition}:{stored.offset}"
        self.stdout.write(f"{at}  {place:>10}  {stored.stream}@{stored.version}  {stored.data}")

    def _write_json(self, stored: Stored) -> None:
        self.stdout.write(codec.to_wire(stored).decode())

    def _export(self, store: EventStore, path: Path) -> None:
        with _progress() as progress:
            task = progress.add_task("Writing the log", total=sum(store.heads()))
            for _ in archive.write(store, path):
                progress.advance(task)
            written = int(progress.tasks[0].completed)
        self.stdout.write(f"{written} events in {path}.")

    def _import(self, path: Path) -> None:
        store = RestorableStore(config().partitions)
        before = sum(store.heads())
        try:
            with _progress() as progress:
                total = sum(archive.beginning(path).heads)
                task = progress.add_task("Reading the file", total=total)
                for passed in archive.bring_back(store, path):
                    progress.advance(task, passed)
        except archive.NotThisLog as error:
            raise CommandError(str(error)) from error
        except NotNext as error:
            raise CommandError(f"Someone else writes to the log, at {error}.") from error
        finally:
            store.brought_back()
        self.stdout.write(f"{sum(store.heads()) - before} events brought back.")
        self.stderr.write("What is sealed stays so until keys import brings its keys.")

    def _describe(self) -> None:
        said = asyncapi.document(golden(), namespace=config().namespace)
        self.stdout.write(json.dumps(said, indent=2, ensure_ascii=False))

    def _verify(self) -> None:
        found = 0
        partitions, sweep = config().partitions, Sweep()
        with _progress() as progress:
            total = sum(counted.last for counted in sweep.counted())
            task = progress.add_task("Reading the log", total=total)

            def passed(partition: int, count: int) -> None:
                what = f"Reading partition {partition + 1} of {partitions}"
                progress.update(task, description=what, advance=count)

            for fault in faults(sweep, partitions=partitions, passed=passed):
                found += 1
                self.stdout.write(fault)
            read = int(progress.tasks[0].completed)
        if found:
            raise CommandError(f"{found} faults in {read} events.")
        self.stdout.write(f"{read} events: all can be read, no gaps.")


def _progress() -> Progress:
    return Progress(
        *Progress.get_default_columns()[:2],
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
