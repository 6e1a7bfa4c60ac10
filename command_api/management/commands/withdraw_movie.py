"""manage.py withdraw_movie: how is a movie shown no more?"""

from argparse import ArgumentParser
from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandError

from command_api import event_store
from command_api.catalogue.bulk_commands import handle_all
from command_api.catalogue.decider import LONGEST_REASON, WithdrawMovie
from events.recorded import Origin
from infra.errors import Refused


class Command(BaseCommand):
    """``manage.py withdraw_movie``"""

    help = (
        "Show a movie no more, neither by its id nor in any list, and take no new opinions of it."
        " What people thought of it is kept, and shown again after restore_movie."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which, and why."""
        parser.add_argument("movie", metavar="ID", type=int, help="the movie's id")
        parser.add_argument(
            "--reason",
            required=True,
            metavar="TEXT",
            help=f"kept in the log, in {LONGEST_REASON} characters at most; about the movie, never"
            " about a person",
        )

    def handle(self, *_args: object, **options: Any) -> None:
        """Do it; once more is as good as once."""
        command = WithdrawMovie(options["movie"], options["reason"])
        try:
            [events] = handle_all(
                [command], event_store.store(), origin=Origin(correlation_id=uuid4())
            )
        except Refused as error:
            reasons = [error.detail, *(reason for _, reason in error.errors)]
            raise CommandError(" ".join(reasons)) from error
        already = "" if events else " already"
        self.stdout.write(f"movie {options['movie']} is withdrawn{already}")
