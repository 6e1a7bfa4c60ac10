"""manage.py restore_movie: show a withdrawn movie again."""

from argparse import ArgumentParser
from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandError

from command_api import event_store
from command_api.catalogue.bulk_commands import handle_all
from command_api.catalogue.decider import RestoreMovie
from events.recorded import Origin
from infra.errors import Refused


class Command(BaseCommand):
    help = "Show a withdrawn movie again, with its ratings, favourites and playlist entries."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("movie", metavar="ID", type=int, help="the movie's id")

    def handle(self, *_args: object, **options: Any) -> None:
        """Restore the movie; idempotent."""
        command = RestoreMovie(options["movie"])
        try:
            [events] = handle_all(
                [command], event_store.store(), origin=Origin(correlation_id=uuid4())
            )
        except Refused as error:
            raise CommandError(error.detail) from error
        already = "" if events else " already"
        self.stdout.write(f"movie {options['movie']} is shown{already}")
