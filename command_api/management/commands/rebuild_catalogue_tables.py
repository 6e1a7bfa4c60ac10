"""Rebuilds the catalogue's tables from the log, for ``manage.py rebuild catalogue-tables``."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from command_api.catalogue import inline_projection
from events.store.postgres import PostgresStore
from infra.config import config
from infra.progress_bar import progress


class Command(BaseCommand):
    help = (
        "Rebuild the catalogue's tables from the log, in one transaction. Commands that change"
        " movies wait for it. Interrupted, it leaves the tables as they were."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="only print how many events would be read"
        )

    def handle(self, *_args: object, **options: Any) -> None:
        store = PostgresStore(config().partitions)
        total = sum(store.heads())
        if options["dry_run"]:
            self.stdout.write(f"{total:,} events would be read. Nothing was changed.")
            return
        with progress("catalogue tables", total) as advance:
            count = inline_projection.rebuild(store, advance)
        self.stdout.write(f"Rebuilt from {count:,} events about movies, of {total:,} in all.")
