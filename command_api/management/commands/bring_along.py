"""manage.py bring_along: how does what somebody took along come into their account here?"""

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

_line: msgspec.json.Decoder[ExportLine] = msgspec.json.Decoder(ExportLine)


class Command(BaseCommand):
    """``manage.py bring_along``"""

    help = (
        "Bring what GET /v1/me/export gave into an account: preferences, ratings, favourites,"
        " hidden movies, playlists. Run again it changes nothing more."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """From where, and for whom."""
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("user", metavar="USER", help="a username, an e-mail address or an id")

    def handle(self, *_args: object, **options: Any) -> None:
        """Bring it in; the good part of a file that was cut short, too."""
        user_id = find(options["user"])
        key = subjects.key_of(user_id)
        if key is None:
            raise CommandError(f"{user_id} is erased.")
        origin = Origin(correlation_id=uuid4())
        bringing = AccountImporter(user_id, key, event_store.store(), origin)
        lines = _Lines(options["file"])
        try:
            for count in bringing.run(lines):
                self.stdout.write(f"{count.lines:,} lines")
        except Refused as error:
            raise CommandError(f"{error.detail} What came before it is in.") from error
        self.stdout.write(
            f"Brought. {bringing.count.unknown:,} movies are not known here, or not for certain;"
            f" {bringing.count.refused:,} ratings are of times that can't be."
        )
        if not lines.is_whole:
            raise CommandError("The file was cut short, or changed: its end is missing.")


class _Lines:
    """What the file says, until its end or the first line that is none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.is_whole = False

    def __iter__(self) -> Iterator[ExportLine]:
        with self._path.open("rb") as file:
            for number, raw in enumerate(file):
                try:
                    line = _line.decode(raw)
                except msgspec.MsgspecError:
                    return
                if isinstance(line, EndLine):
                    self.is_whole = line.lines == number
                    return
                yield line
