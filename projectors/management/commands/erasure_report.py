"""manage.py erasure_report: searches all stores for an erased user."""

import sys
from argparse import ArgumentParser
from time import monotonic, sleep
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from events.store.postgres import PostgresStore
from events.vault import erasures
from infra import clients
from infra.config import config
from infra.progress_bar import progress
from projectors.erasure.audit import SearchTerms, search
from projectors.erasure.coordinator import ErasureCoordinator, ErasureStatus
from projectors.management.arguments import waiting

_POLL_SECONDS = 0.2


class Command(BaseCommand):
    help = (
        "Show for each part of the platform whether an erased user is gone there: each"
        " generation of each read model, then log, vault, Redis and index, which are searched."
        " Purges generations of the past. Exit 1 unless every line says gone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=UUID, metavar="ID", help="the user's id")
        parser.add_argument("--username", metavar="NAME", help="search for it, too")
        parser.add_argument("--email", metavar="ADDRESS", help="search for it, too")
        waiting(parser, "wait this long for the projectors")

    def handle(self, *_args: object, **options: Any) -> None:
        """Purge until all generations are clean or the wait is over; then search."""
        user_id: UUID = options["id"]
        if erasures.find(user_id) is None and not erasures.is_erased(user_id):
            raise CommandError(f"The erasure of {user_id} was never requested.")
        store = PostgresStore(config().partitions)
        coordinator = ErasureCoordinator(clients.redis(), store)
        parts = _purge(user_id, coordinator, patience_seconds=options["wait"])
        terms = SearchTerms(user_id, options["username"], options["email"])
        parts += search(terms, store, clients.redis())
        table = Table("part", "status")
        for part in parts:
            table.add_row(part.name, part.detail if part.is_gone else f"NOT GONE: {part.detail}")
        Console().print(table)
        if not all(part.is_gone for part in parts):
            sys.exit(1)


def _purge(
    user_id: UUID, coordinator: ErasureCoordinator, *, patience_seconds: float
) -> list[ErasureStatus]:
    deadline = monotonic() + patience_seconds
    parts, shown = coordinator.purge_user(user_id), 0
    with progress("purging", len(parts)) as advance:
        while True:
            gone = sum(part.is_gone for part in parts)
            advance(gone - shown)
            if gone == len(parts) or monotonic() >= deadline:
                return parts
            shown = gone
            sleep(_POLL_SECONDS)
            parts = coordinator.purge_user(user_id)
