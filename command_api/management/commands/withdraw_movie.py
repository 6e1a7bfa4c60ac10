"""manage.py withdraw_movie: hide a movie from everyone."""

from argparse import ArgumentParser
from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandError

from command_api import event_store
from command_api.catalogue.bulk_commands import handle_all
from command_api.catalogue.decider import LONGEST_REASON, MovieCommand, WithdrawMovie
from events.recorded import Origin
from infra.errors import Refused


class Command(BaseCommand):
    help = (
        "Hide a movie, by its id and in every list, and refuse new ratings, favourites and playlist"
        " entries of it. Existing ones are kept and shown again after restore_movie."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("movie", metavar="ID", type=int, help="the movie's id")
        parser.add_argument(
            "--reason",
            required=True,
            metavar="TEXT",
            help=f"kept in the log, at most {LONGEST_REASON} characters; about the movie, never"
            " about a person",
        )

    def handle(self, *_args: object, **options: Any) -> None:
        already = run(WithdrawMovie(options["movie"], options["reason"]))
        self.stdout.write(f"movie {options['movie']} is withdrawn{already}")


def run(command: MovieCommand) -> str:
    """Handle the command; return " already" if it changed nothing. Raises CommandError."""
    origin = Origin(correlation_id=uuid4())
    try:
        [events] = handle_all([command], event_store.store(), origin=origin)
    except Refused as error:
        reasons = [error.detail, *(reason for _, reason in error.errors)]
        raise CommandError(" ".join(reasons)) from error
    return "" if events else " already"
