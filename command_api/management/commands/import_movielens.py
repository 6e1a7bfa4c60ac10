"""manage.py import_movielens: import films and ratings of a MovieLens release."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from command_api.catalogue.movie_lookup import withdrawn_movies
from command_api.imports.base_command import BAD_INPUT, ImportCommand
from command_api.imports.movielens_films import (
    FilmImportResult,
    MatchedFilm,
    import_films,
    name_of,
    write_report,
)
from command_api.imports.movielens_formats import MissingFiles, MovieLensFiles, find
from command_api.imports.movielens_ratings import (
    RatingImportCounts,
    append_ratings,
    read_ratings,
    shift_of,
)
from command_api.imports.ratings_sort import RatingsSorter
from command_api.imports.session import ImportSession


class Command(ImportCommand):
    """Idempotent: only what the log lacks becomes events."""

    help = (
        "Import films and ratings from a directory of any MovieLens release: movies.csv,"
        " ratings.csv and links.csv; or movies.dat and ratings.dat; or u.item and u.data."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", help="directory of the files; links.csv may be missing")
        parser.add_argument(
            "--until-now",
            action="store_true",
            help="shift all times by the same amount, so that the last rating is of now",
        )
        parser.add_argument(
            "--report",
            metavar="FILE",
            type=Path,
            help="write a CSV line per film: its movie, how it was matched, other candidates",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="change nothing; print what would be imported"
        )

    def check_input(self, options: dict[str, Any]) -> None:
        try:
            find(Path(options["directory"]))
        except MissingFiles as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error

    def run_import(self, session: ImportSession, options: dict[str, Any]) -> None:
        files, now = find(Path(options["directory"])), int(time.time())
        films = import_films(files, session)
        if options["report"]:
            write_report(options["report"], films.films)
        with RatingsSorter(session.store.partitions) as sorter:
            counts = read_ratings(
                files, sorter, movies=films.movies, withdrawn=withdrawn_movies(), now=now
            )
            if not sorter:
                self.fail_if_damaged([*films.damages, counts.damage])
                if counts.refused:
                    raise CommandError(
                        f"Nothing to import from {files.ratings.name}: {_refused(counts)}."
                    )
                raise CommandError(f"No line of {files.ratings.name} could be read as a rating.")
            shift_seconds = self._shift(files, sorter, session, now if options["until_now"] else 0)
            started = time.monotonic()
            append_ratings(sorter, counts, session, shift_seconds=shift_seconds)
        self._print(films, counts, seconds=time.monotonic() - started)
        self.fail_if_damaged([*films.damages, counts.damage])

    def _shift(
        self, files: MovieLensFiles, sorter: RatingsSorter, session: ImportSession, until: int
    ) -> int:
        """Seconds that move the last rating to ``until``; 0 leaves all times."""
        wanted_seconds = until - sorter.last_at if until else 0
        shift_seconds = shift_of(files, wanted_seconds, session=session)
        if bool(shift_seconds) != bool(wanted_seconds):
            self.stderr.write(
                f"Shifting times by {shift_seconds} s, as the first import of this file did."
            )
        return shift_seconds

    def _print(
        self, films: FilmImportResult, counts: RatingImportCounts, *, seconds: float
    ) -> None:
        how = films.how
        self.stdout.write(
            f"ratings: read {counts.read}, imported {counts.imported}, re-rated {counts.rerated},"
            f" already there {counts.already_there}, broken {counts.broken}"
            f" ({(counts.imported + counts.rerated) / max(seconds, 0.001):.0f} a second)"
        )
        if counts.refused:
            self.stdout.write(_refused(counts))
        self.stdout.write(
            f"films: read {how.total() + films.broken},"
            f" matched {how['matched'] + how['ambiguous'] + how['near']},"
            f" added {how['added']}, doubles {how['double']}, already there {how['there']},"
            f" broken {films.broken}; ambiguous {how['ambiguous']}, a year off {how['near']},"
            f" ids of another movie {films.conflicting_ids}"
        )
        self._print_matches("matches several movies", films.matched_as("ambiguous"))
        self._print_matches("matches a movie of another year", films.matched_as("near"))
        self.print_unknown_genres(films.unknown_genres)

    def _print_matches(self, what: str, films: Iterable[MatchedFilm]) -> None:
        """Print films to check by hand: the next run finds them linked."""
        for film, match in films:
            others = f" of {', '.join(map(str, match.candidates))}" if match.candidates else ""
            self.stdout.write(f"{what}: {name_of(film)}, linked to {match.movie_id}{others}")


def _refused(counts: RatingImportCounts) -> str:
    return f"refused {counts.refused} ratings of withdrawn movies"
