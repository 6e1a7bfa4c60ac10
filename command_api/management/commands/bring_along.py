"""manage.py bring_along: import a user's exported data into an account."""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandError

from command_api import event_store
from command_api.export.format import EndLine, ExportLine
from command_api.export.importer import AccountImporter, NumberedLine
from command_api.imports import json_line
from command_api.imports.line_warnings import LineWarnings, RejectedLines
from command_api.management.find_user import find
from events.recorded import Origin
from events.vault import subjects
from infra import line_reader
from infra.line_reader import DamagedFile, FileLine


class Command(BaseCommand):
    help = (
        "Import a file of GET /v1/me/export, plain or gzipped, into an account: preferences,"
        " ratings, favourites, hidden movies, playlists. Running it again changes nothing more."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("user", metavar="USER", help="a username, an e-mail address or an id")

    def handle(self, *_args: object, **options: Any) -> None:
        """Import the file, or its readable part when it was cut short; no damaged archive."""
        user_id = find(options["user"])
        key = subjects.key_of(user_id)
        if key is None:
            raise CommandError(f"User {user_id} was erased; their account takes no import.")
        path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        try:
            line_reader.refuse_damaged(path)
        except DamagedFile as error:
            raise CommandError(f"{error}\nNothing was imported.") from error
        refused = LineWarnings(path.name, "refused lines")
        origin = Origin(correlation_id=uuid4())
        importer = AccountImporter(
            user_id, key, event_store.store(), origin=origin, refused=refused
        )
        self._import(importer, _Lines(path), refused)

    def _import(self, importer: AccountImporter, lines: "_Lines", refused: LineWarnings) -> None:
        for count in importer.run(lines):
            self.stdout.write(f"{count.lines:,} lines")
        refused.sum_up()
        lines.rejected.sum_up()
        self.stdout.write(
            f"Imported. {importer.count.unknown:,} movies have no or no certain match here;"
            f" {refused.count:,} lines were refused."
        )
        if not lines.is_whole:
            raise CommandError("The file was cut short or changed: its end line is missing.")
        if lines.rejected.count:
            raise CommandError(f"{lines.rejected.count:,} lines could not be read.")


class _Lines:
    """The lines of an export, up to its end line; those that can't be read are rejected."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rejected = RejectedLines(path.name)
        self.is_whole = False

    def __iter__(self) -> Iterator[NumberedLine]:
        lines = self.rejected.readable(line_reader.read(self._path))
        for count, line in enumerate(lines):
            try:
                decoded = _decode(line)
            except ValueError as error:
                self.rejected.add(line.number, str(error))
            else:
                if isinstance(decoded, EndLine):
                    self.is_whole = decoded.lines == count
                    return
                yield NumberedLine(line.number, decoded)


def _decode(line: FileLine) -> ExportLine:
    if line.error:
        raise ValueError(line.error)
    try:
        decoded: ExportLine = json_line.decode(line.content, ExportLine)
    except ValueError as error:
        raise ValueError(line.why_unreadable(error)) from error
    return decoded
