"""manage.py bring_along: import a user's exported data into an account."""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
from django.core.management.base import BaseCommand, CommandError

from command_api import event_store
from command_api.export.format import EndLine, ExportLine
from command_api.export.importer import AccountImporter
from command_api.management.find_user import find
from events.recorded import Origin
from events.vault import subjects
from infra.errors import Refused

_decoder: msgspec.json.Decoder[ExportLine] = msgspec.json.Decoder(ExportLine)


class Command(BaseCommand):
    help = (
        "Import a file of GET /v1/me/export into an account: preferences, ratings, favourites,"
        " hidden movies, playlists. Running it again changes nothing more."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("user", metavar="USER", help="a username, an e-mail address or an id")

    def handle(self, *_args: object, **options: Any) -> None:
        """Import the file, or its readable part when it was cut short."""
        user_id = find(options["user"])
        key = subjects.key_of(user_id)
        if key is None:
            raise CommandError(f"User {user_id} was erased; their account takes no import.")
        origin = Origin(correlation_id=uuid4())
        importer = AccountImporter(user_id, key, event_store.store(), origin)
        lines = _Lines(options["file"])
        try:
            for count in importer.run(lines):
                self.stdout.write(f"{count.lines:,} lines")
        except Refused as error:
            raise CommandError(f"{error.detail} The lines before it are imported.") from error
        self.stdout.write(
            f"Imported. {importer.count.unknown:,} movies have no or no certain match here;"
            f" {importer.count.refused:,} ratings have an impossible time."
        )
        if not lines.is_whole:
            raise CommandError("The file was cut short or changed: its end line is missing.")


class _Lines:
    """The lines of an export, up to its end line or the first that can't be decoded."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.is_whole = False

    def __iter__(self) -> Iterator[ExportLine]:
        with self._path.open("rb") as file:
            for number, raw in enumerate(file):
                try:
                    line = _decoder.decode(raw)
                except msgspec.MsgspecError:
                    return
                if isinstance(line, EndLine):
                    self.is_whole = line.lines == number
                    return
                yield line
