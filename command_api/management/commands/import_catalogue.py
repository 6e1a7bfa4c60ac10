"""manage.py import_catalogue: how do the movies of a file get into the catalogue?"""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from command_api.imports.broken import Broken
from command_api.imports.catalogue import Outcome, import_catalogue
from command_api.imports.progress import progress
from command_api.imports.stopping import Interrupted, stoppable
from command_api.imports.turn import Busy, turn
from events.store.postgres import PostgresStore
from infra.config import config

DEMO = Path(__file__).parents[2] / "catalogue" / "demo" / "catalogue.jsonl.gz"


class Command(BaseCommand):
    """Run again at will: only what is new or changed becomes events."""

    help = "Import movies from a file of JSON lines, plain or gzipped, or the demo catalogue."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", help="the file, or 'demo'")

    def handle(self, *_args: Any, **options: Any) -> None:
        path = _file(options["file"])
        broken = Broken(path.name, out=sys.stderr)
        try:
            with (
                turn(),
                stoppable() as is_stopping,
                progress("movies", path.stat().st_size) as advance,
            ):
                outcome = import_catalogue(
                    path,
                    PostgresStore(config().partitions),
                    broken,
                    advance=advance,
                    is_stopping=is_stopping,
                )
        except Interrupted as error:
            raise CommandError(
                "Stopped. Run it again to go on from here.", returncode=130
            ) from error
        except Busy as error:
            raise CommandError(str(error)) from error
        self._tell(outcome)
        if outcome.broken == outcome.read:
            raise CommandError(f"Nothing in {path} could be read as a movie.")

    def _tell(self, outcome: Outcome) -> None:
        self.stdout.write(
            f"read {outcome.read}, added {outcome.added}, changed {outcome.changed},"
            f" unchanged {outcome.unchanged}, broken {outcome.broken}"
        )
        if outcome.unknown_genres:
            names = ", ".join(f"{name} ({n})" for name, n in outcome.unknown_genres.most_common(20))
            self.stdout.write(f"genres that are not in our table, left out: {names}")


def _file(given: str | None) -> Path:
    if given is None:
        raise CommandError(
            "Which file? Give the path of a file of JSON lines, or 'demo' for the catalogue"
            " that comes with the project.",
            returncode=2,
        )
    path = DEMO if given == "demo" else Path(given)
    if not path.is_file():
        raise CommandError(f"There is no file {path}.", returncode=2)
    return path
