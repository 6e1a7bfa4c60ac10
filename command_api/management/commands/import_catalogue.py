"""manage.py import_catalogue: how do the movies of a file get into the catalogue?"""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from command_api.imports.base_command import BAD_INPUT, ImportCommand
from command_api.imports.catalogue import import_catalogue
from command_api.imports.session import ImportSession

DEMO = Path(__file__).parents[2] / "catalogue" / "demo" / "catalogue.jsonl.gz"


class Command(ImportCommand):
    """Run again at will: only what is new or changed becomes events."""

    help = "Import movies from a file of JSON lines, plain or gzipped, or the demo catalogue."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", help="a path, or 'demo' for the one that is shipped")

    def check_input(self, options: dict[str, Any]) -> None:
        if options["file"] is None:
            raise CommandError(
                "Which file? Give the path of a file of JSON lines, or 'demo' for the catalogue"
                " that comes with the project.",
                returncode=BAD_INPUT,
            )
        if not _path(options["file"]).is_file():
            raise CommandError(f"There is no file {options['file']}.", returncode=BAD_INPUT)

    def run_import(self, run: ImportSession, options: dict[str, Any]) -> None:
        outcome = import_catalogue(_path(options["file"]), run)
        self.stdout.write(
            f"read {outcome.read}, added {outcome.added}, changed {outcome.changed},"
            f" unchanged {outcome.unchanged}, broken {outcome.broken}; matched {outcome.matched},"
            f" ambiguous {outcome.ambiguous}, ids of another movie {outcome.taken}"
        )
        self.tell_unknown_genres(outcome.unknown_genres)
        self.refuse_torn([outcome.torn])
        if outcome.broken == outcome.read:
            raise CommandError(f"Nothing in {options['file']} could be read as a movie.")


def _path(given: str) -> Path:
    return DEMO if given == "demo" else Path(given)
