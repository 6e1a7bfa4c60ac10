"""manage.py import_movielens: how do ratings of MovieLens get into the log?"""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from command_api.catalogue.movie_lookup import withdrawn_movies
from command_api.imports.base_command import BAD_INPUT, ImportCommand
from command_api.imports.movielens_films import FilmImportResult, MatchedFilm, import_films
from command_api.imports.movielens_formats import MissingFiles, MovieLensFiles, find
from command_api.imports.movielens_ratings import (
    RatingImportCounts,
    append_ratings,
    read_ratings,
    shift_of,
)
from command_api.imports.movielens_report import name_of, write_report
from command_api.imports.ratings_sort import RatingsSorter
from command_api.imports.session import ImportSession


class Command(ImportCommand):
    """Run again at will: only what is not in the log yet becomes events."""

    help = (
        "Import films and ratings from a directory of MovieLens, of whatever release: movies.csv,"
        " ratings.csv and links.csv; or movies.dat and ratings.dat; or u.item and u.data."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", help="where the files are; links.csv may be missing")
        parser.add_argument(
            "--until-now",
            action="store_true",
            help="move all times by one amount, so that the last rating was given just now",
        )
        parser.add_argument(
            "--report",
            metavar="FILE",
            type=Path,
            help="write a CSV line a film: which movie it is to us, how that was found out, and"
            " which others it could be",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="change nothing; say what would be imported"
        )

    def check_input(self, options: dict[str, Any]) -> None:
        try:
            find(Path(options["directory"]))
        except MissingFiles as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error

    def run_import(self, run: ImportSession, options: dict[str, Any]) -> None:
        files, now = find(Path(options["directory"])), int(time.time())
        films = import_films(files, run)
        if options["report"]:
            write_report(options["report"], films.each)
        with RatingsSorter(run.store.partitions) as ratings:
            counts = read_ratings(
                files, ratings, movies=films.movies, withdrawn=withdrawn_movies(), now=now
            )
            if not ratings:
                self.refuse_torn([*films.torn, counts.torn])
                if counts.refused:
                    raise CommandError(f"Of {files.ratings.name} {_refused(counts)}.")
                raise CommandError(f"Nothing in {files.ratings.name} could be read as a rating.")
            shift_seconds = self._shift(files, ratings, run, now if options["until_now"] else 0)
            started = time.monotonic()
            append_ratings(ratings, counts, run, shift_seconds=shift_seconds)
        self._tell(films, counts, seconds=time.monotonic() - started)
        self.refuse_torn([*films.torn, counts.torn])

    def _shift(
        self, files: MovieLensFiles, ratings: RatingsSorter, run: ImportSession, until: int
    ) -> int:
        """By how much times move so that the last is that one; 0: by nothing."""
        wanted_seconds = until - ratings.last_at if until else 0
        shift_seconds = shift_of(files, wanted_seconds, run=run)
        if bool(shift_seconds) != bool(wanted_seconds):
            self.stderr.write(f"Times move by {shift_seconds} s, as when this import was begun.")
        return shift_seconds

    def _tell(self, films: FilmImportResult, counts: RatingImportCounts, *, seconds: float) -> None:
        found = films.found
        self.stdout.write(
            f"ratings: read {counts.read}, imported {counts.imported}, re-rated {counts.rerated},"
            f" already there {counts.there}, broken {counts.broken}"
            f" ({(counts.imported + counts.rerated) / max(seconds, 0.001):.0f} a second)"
        )
        if counts.refused:
            self.stdout.write(_refused(counts))
        self.stdout.write(
            f"films: read {found.total() + films.broken},"
            f" matched {found['matched'] + found['ambiguous'] + found['near']},"
            f" added {found['added']}, doubles {found['double']}, already there {found['there']},"
            f" broken {films.broken}; ambiguous {found['ambiguous']}, a year off {found['near']},"
            f" ids of another movie {films.taken}"
        )
        self._name("could be several of ours", films.found_as("ambiguous"))
        self._name("is ours of the year before or after", films.found_as("near"))
        self.tell_unknown_genres(films.unknown_genres)

    def _name(self, what: str, films: Iterable[MatchedFilm]) -> None:
        """Name all that a person may want to look at: when it is run again they are there."""
        for film, found in films:
            others = f" of {', '.join(map(str, found.possible))}" if found.possible else ""
            self.stdout.write(f"{what}: {name_of(film)}, taken for movie {found.movie_id}{others}")


def _refused(counts: RatingImportCounts) -> str:
    return f"refused {counts.refused} ratings: their movies were withdrawn"
