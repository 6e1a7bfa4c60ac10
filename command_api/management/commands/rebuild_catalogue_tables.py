"""How does a person have the catalogue's tables made anew?"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from command_api.catalogue import inline_projection
from events.store.postgres import PostgresStore
from infra.config import config
from infra.progress_bar import progress


class Command(BaseCommand):
    """``manage.py rebuild catalogue-tables``"""

    help = (
        "Make the catalogue's tables again from the log, in one transaction. Commands that change"
        " movies wait until it is over; interrupted, the tables are as they were."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What can be asked."""
        parser.add_argument("--dry-run", action="store_true", help="only say how much there is")

    def handle(self, *_args: object, **options: Any) -> None:
        """Read the whole log and keep what is about movies."""
        store = PostgresStore(config().partitions)
        total = sum(store.heads())
        if options["dry_run"]:
            self.stdout.write(f"{total:,} events would be read. Nothing was changed.")
            return
        with progress("catalogue tables", total) as advance:
            count = inline_projection.rebuild(store, advance)
        self.stdout.write(f"Made again from {count:,} events about movies, of {total:,} in all.")
