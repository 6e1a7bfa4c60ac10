"""manage.py withdraw_movielens: withdraw the ratings that a MovieLens release brought."""

import time
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from command_api.imports import movielens_reader
from command_api.imports.base_command import BAD_INPUT, ImportCommand, add_data_set_argument
from command_api.imports.data_set_recognition import data_sets_in_log
from command_api.imports.data_sets import DataSet
from command_api.imports.line_warnings import RejectedLines
from command_api.imports.movielens_formats import MovieLensFiles, find
from command_api.imports.ratings_withdrawal import withdraw_ratings
from command_api.imports.session import ImportSession


class Command(ImportCommand):
    """Idempotent: a rating is withdrawn once."""

    help = (
        "Withdraw all ratings of the users that a directory's ratings name, in one data set."
        " Movies and their links stay, and import_movielens brings the ratings back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", help="directory of the files")
        add_data_set_argument(parser, is_required=True)
        parser.add_argument(
            "--dry-run", action="store_true", help="change nothing; print what would be withdrawn"
        )

    def check_input(self, options: dict[str, Any]) -> None:
        find(Path(options["directory"]))

    def run_import(self, session: ImportSession, options: dict[str, Any]) -> None:
        files, data_set = find(Path(options["directory"])), options["data_set"]
        _refuse_unknown(data_set)
        files.refuse_unreadable()
        numbers = _users(files)
        counts = withdraw_ratings([data_set.user_id(number) for number in numbers], session)
        self.stdout.write(
            f"withdrew {counts.ratings} ratings of {counts.users} users of data set"
            f" {data_set.name}; {len(numbers) - counts.users} had none"
        )


def _refuse_unknown(data_set: DataSet) -> None:
    known = data_sets_in_log()
    if data_set not in known:
        names = ", ".join(sorted(each.name for each in known)) or "none"
        raise CommandError(
            f"The log has no data set {data_set.name}; it has: {names}.", returncode=BAD_INPUT
        )


def _users(files: MovieLensFiles) -> list[int]:
    """The numbers of all users with ratings in the files."""
    rejected = RejectedLines(files.ratings.name)
    films = movielens_reader.films(files, RejectedLines(files.films.name), Counter())
    known = {film.movielens_id: film for film in films}
    ratings = movielens_reader.ratings(files, rejected, known=known, now=int(time.time()))
    numbers = sorted({rating.user for rating in ratings})
    rejected.sum_up()
    return numbers
