"""manage.py import_catalogue: import movies from a file of JSON lines."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from command_api.catalogue.demo.lines import DEMO, version_of
from command_api.catalogue.models import CatalogueVersion
from command_api.imports.base_command import BAD_INPUT, ImportCommand
from command_api.imports.catalogue import import_catalogue
from command_api.imports.session import ImportSession


class Command(ImportCommand):
    """Idempotent: only new and changed movies become events."""

    help = "Import movies from a file of JSON lines, plain or gzipped, or the demo catalogue."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", help="a path, or 'demo' for the demo catalogue")

    def check_input(self, options: dict[str, Any]) -> None:
        if options["file"] is None:
            raise CommandError(
                "No file given: pass the path of a file of JSON lines, or 'demo' for the catalogue"
                " that comes with the project.",
                returncode=BAD_INPUT,
            )
        if not _path(options["file"]).is_file():
            raise CommandError(f"There is no file {options['file']}.", returncode=BAD_INPUT)

    def run_import(self, session: ImportSession, options: dict[str, Any]) -> None:
        result = import_catalogue(_path(options["file"]), session)
        self.stdout.write(
            f"read {result.read}, added {result.added}, changed {result.changed},"
            f" unchanged {result.unchanged}, broken {result.broken}; matched {result.matched},"
            f" ambiguous {result.ambiguous}, ids of another movie {result.conflicting_ids}"
        )
        if result.unreadable_ids:
            self.stdout.write(f"left out external ids that can't be read: {result.unreadable_ids}")
        self.print_unknown_genres(result.unknown_genres)
        self.fail_if_damaged([result.damage])
        if result.broken == result.read:
            raise CommandError(f"No line of {options['file']} could be read as a movie.")
        if options["file"] == "demo":
            CatalogueVersion.objects.get_or_create(digest=version_of(DEMO))


def _path(argument: str) -> Path:
    return DEMO if argument == "demo" else Path(argument)
