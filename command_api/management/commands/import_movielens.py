"""manage.py import_movielens: how do ratings of MovieLens get into the log?"""

import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from command_api.imports.command import BAD_INPUT, ImportCommand
from command_api.imports.movielens_files import MOVIES, RATINGS
from command_api.imports.movielens_films import Films, import_films
from command_api.imports.movielens_ratings import Counts, append_ratings, read_ratings, shift_of
from command_api.imports.run import Run


class Command(ImportCommand):
    """Run again at will: only what is not in the log yet becomes events."""

    help = "Import films and ratings from a directory with movies.csv, ratings.csv and links.csv."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", help="where the files are; links.csv may be missing")
        parser.add_argument(
            "--until-now",
            action="store_true",
            help="move all times by one amount, so that the last rating was given just now",
        )

    def check_input(self, options: dict[str, Any]) -> None:
        for name in (MOVIES, RATINGS):
            if not (Path(options["directory"]) / name).is_file():
                raise CommandError(
                    f"There is no file {name} in {options['directory']}.", returncode=BAD_INPUT
                )

    def run_import(self, run: Run, options: dict[str, Any]) -> None:
        directory, now = Path(options["directory"]), int(time.time())
        films = import_films(directory, run)
        ratings, counts = read_ratings(
            directory, movies=films.movies, now=now, partitions=run.store.partitions
        )
        if not ratings:
            raise CommandError(f"Nothing in {RATINGS} could be read as a rating.")
        wanted_seconds = now - ratings.last_at if options["until_now"] else 0
        shift_seconds = shift_of(directory, wanted_seconds)
        if bool(shift_seconds) != bool(wanted_seconds):
            self.stderr.write(f"Times move by {shift_seconds} s, as when this import was begun.")
        started = time.monotonic()
        append_ratings(ratings, counts, run, shift_seconds=shift_seconds)
        self._tell(films, counts, seconds=time.monotonic() - started)

    def _tell(self, films: Films, counts: Counts, *, seconds: float) -> None:
        found = films.found
        self.stdout.write(
            f"ratings: read {counts.read}, imported {counts.imported}, re-rated {counts.rerated},"
            f" already there {counts.there}, broken {counts.broken}"
            f" ({(counts.imported + counts.rerated) / max(seconds, 0.001):.0f} a second)"
        )
        self.stdout.write(
            f"films: read {found.total() + films.broken},"
            f" matched {found['matched'] + found['ambiguous']}, added {found['added']},"
            f" doubles {found['double']}, already there {found['there']}, broken {films.broken};"
            f" ambiguous {found['ambiguous']}, ids of another movie {films.taken}"
        )
        self.tell_unknown_genres(films.unknown_genres)
