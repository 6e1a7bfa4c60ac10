"""manage.py events: show, describe, export, import and verify the event log."""

import json
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any, Literal

from django.core.management.base import BaseCommand, CommandError, CommandParser

from events import codec
from events.archive import archive
from events.archive.formats import InvalidArchive
from events.integrity import find_faults
from events.log_query import EventFilter, last_events, new_events
from events.notifications import listening, log_channel
from events.recorded import Stored
from events.reference import asyncapi
from events.reference.examples import golden
from events.store import EventStore
from events.store.postgres import PostgresStore
from events.store.restore import NotContiguous, RestorableStore
from infra import clients
from infra.config import config
from infra.progress_bar import progress

_POLL_SECONDS = 0.5


class Command(BaseCommand):
    """``manage.py events``"""

    help = "Show, describe, export, import or verify the event log."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        log = actions.add_parser(
            "log", help="show the last events, in the order they were recorded"
        )
        log.add_argument(
            "--follow", action="store_true", help="then show new events as they are recorded"
        )
        log.add_argument("--last", type=int, default=20, metavar="N", help="number of events (20)")
        log.add_argument("--type", help="only this type, as movie-rated or movie-rated.v1")
        log.add_argument("--stream", help="only this stream, as movie-25")
        log.add_argument("--user", help="only streams of the user with this id")
        log.add_argument("--json", action="store_true", help="as CloudEvents, one a line")
        export = actions.add_parser("export", help="write the log to an archive file")
        export.add_argument(
            "file", type=Path, help="JSON lines; compressed if the name ends in .gz"
        )
        import_ = actions.add_parser(
            "import",
            help="import an archive into an empty log with as many partitions; an interrupted"
            " import resumes when run again. Then: rebuild catalogue-tables, rebuild --all",
        )
        import_.add_argument("file", type=Path)
        actions.add_parser("describe", help="print all event types as an AsyncAPI document in JSON")
        actions.add_parser(
            "verify", help="check every event of the log; exit 1 and list the faults, if any"
        )

    def handle(self, *args: Any, **options: Any) -> None:
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
                self._verify(store)

    def _log(self, store: EventStore, options: dict[str, Any]) -> None:
        event_filter = EventFilter(options["type"], options["stream"], options["user"])
        write = self._write_json if options["json"] else self._write_line
        offsets = dict(enumerate(store.heads()))
        try:
            for stored in last_events(store, event_filter, options["last"]):
                write(stored)
                offsets[stored.partition] = max(offsets[stored.partition], stored.offset)
            if options["follow"]:
                self._follow(store, event_filter, offsets, write)
        except (KeyboardInterrupt, BrokenPipeError):
            return

    def _follow(
        self,
        store: EventStore,
        event_filter: EventFilter,
        offsets: dict[int, int],
        write: Callable[[Stored], None],
    ) -> None:
        with listening(clients.redis(), log_channel()) as listener:
            while True:
                for stored in new_events(store, event_filter, offsets):
                    write(stored)
                self.stdout.flush()
                listener.wait(_POLL_SECONDS)

    def _write_line(self, stored: Stored) -> None:
        at = stored.recorded_at.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds")
        position = f"{stored.partition}:{stored.offset}"
        self.stdout.write(f"{at}  {position:>10}  {stored.stream}@{stored.version}  {stored.data}")

    def _write_json(self, stored: Stored) -> None:
        self.stdout.write(codec.to_wire(stored).decode())

    def _export(self, store: EventStore, path: Path) -> None:
        written = 0
        with progress("Writing the log", sum(store.heads())) as advance:
            for _ in archive.export_log(store, path):
                written += 1
                advance(1)
        self.stdout.write(f"{written} events in {path}.")

    def _import(self, path: Path) -> None:
        store = RestorableStore(config().partitions)
        before = sum(store.heads())
        try:
            total = sum(archive.read_header(path).heads)
            with progress("Reading the file", total) as advance:
                for count in archive.import_log(store, path):
                    advance(count)
        except (InvalidArchive, OSError) as error:
            raise CommandError(str(error)) from error
        except NotContiguous as error:
            raise CommandError(
                f"Another process appends to the log, at {error}: stop it, then run again."
            ) from error
        finally:
            store.analyze()
        self.stdout.write(f"{sum(store.heads()) - before} events imported.")
        self.stderr.write(
            "Encrypted fields stay unreadable until keys import has imported their keys."
        )

    def _describe(self) -> None:
        document = asyncapi.document(golden(), namespace=config().namespace)
        self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False))

    def _verify(self, store: EventStore) -> None:
        faults = read = 0
        with progress("Reading the log", sum(store.heads())) as advance:

            def on_progress(_partition: int, events: int) -> None:
                nonlocal read
                read += events
                advance(events)

            for fault in find_faults(partitions=store.partitions, on_progress=on_progress):
                faults += 1
                self.stdout.write(fault)
        if faults:
            raise CommandError(f"{faults} faults in {read} events.")
        self.stdout.write(f"{read} events: all are readable, no gaps.")
