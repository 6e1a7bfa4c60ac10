"""manage.py import_movielens: import films and ratings of a MovieLens release."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from command_api.catalogue.movie_lookup import withdrawn_movies
from command_api.imports.base_command import ImportCommand, add_data_set_argument
from command_api.imports.data_set_recognition import Recognition, recognise
from command_api.imports.movielens_films import (
    FilmImportResult,
    MatchedFilm,
    import_films,
    name_of,
    write_report,
)
from command_api.imports.movielens_formats import find
from command_api.imports.movielens_ratings import (
    RatingImportCounts,
    append_ratings,
    digest_of,
    read_ratings,
    shift_of,
)
from command_api.imports.ratings_sort import RatingsSorter, TimeShift
from command_api.imports.session import ImportSession


class Command(ImportCommand):
    """Idempotent: only what the log lacks becomes events."""

    help = (
        "Import films and ratings from a directory of any MovieLens release: movies.csv,"
        " ratings.csv and links.csv; or movies.dat and ratings.dat; or u.item and u.data. A newer"
        " export of a data set changes what its users have rated again since."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", help="directory of the files; links.csv may be missing")
        add_data_set_argument(parser)
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
        find(Path(options["directory"]))

    def run_import(self, session: ImportSession, options: dict[str, Any]) -> None:
        files, now = find(Path(options["directory"])), int(time.time())
        files.refuse_unreadable()
        digest = digest_of(files.ratings)
        recognised = recognise(files, digest, session.store, name=options["data_set"], now=now)
        data_set, is_new, _ = recognised
        self.stderr.write(f"data set {data_set.name}: {'new' if is_new else 'in the log before'}")
        films = import_films(files, data_set, session)
        if options["report"]:
            write_report(options["report"], films.films)
        with RatingsSorter(session.store.partitions, id_of=data_set.user_id) as sorter:
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
            wanted_seconds = now - sorter.last_at if options["until_now"] else 0
            shift = self._shift(digest, recognised, wanted_seconds, session)
            started = time.monotonic()
            append_ratings(sorter, counts, session, shift)
        self._print(films, counts, seconds=time.monotonic() - started)
        self.fail_if_damaged([*films.damages, counts.damage])

    def _shift(
        self, digest: str, recognised: Recognition, wanted_seconds: int, session: ImportSession
    ) -> TimeShift:
        """The shift of an earlier import of the file or the data set, else the one wanted."""
        of_data_set = recognised.shift_seconds
        shift = shift_of(digest, wanted_seconds if of_data_set is None else of_data_set, session)
        if bool(shift.seconds) != bool(wanted_seconds):
            self.stderr.write(
                f"Shifting times by {shift.seconds} s, as an earlier import of these ratings did."
            )
        return shift

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
        if counts.outdated:
            self.stdout.write(f"left out {counts.outdated} ratings older than those in the log")
        self.stdout.write(
            f"films: read {how.total() + films.broken},"
            f" matched {how['matched'] + how['ambiguous'] + how['near']},"
            f" added {how['added']}, doubles {how['double']}, already there {how['there']},"
            f" broken {films.broken}; ambiguous {how['ambiguous']}, a year off {how['near']},"
            f" ids of another movie {films.conflicting_ids}"
        )
        if films.unreadable_links:
            self.stdout.write(
                f"left out lines and ids of links.csv that can't be read: {films.unreadable_links}"
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
