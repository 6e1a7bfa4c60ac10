"""manage.py sync_catalogue: how does a person have the catalogue synchronised, or see how it is?"""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from command_api.catalogue.models import SyncRun
from command_api.catalogue.tmdb.client import connect
from command_api.catalogue.tmdb.errors import MissingApiKey, TmdbPaused
from command_api.imports.base_command import STOPPED
from command_api.imports.session import stop_signals
from command_api.sync import fetch_queue, status
from command_api.sync.job_runner import run
from command_api.sync.jobs import JobKind
from infra.progress_bar import progress

_ALL: Sequence[JobKind] = ("genres", "lists", "changes", "oldest", "trending", "films")
_A_DAY_SECONDS = 86_400.0
_EVERY = 10_000_000


class Command(BaseCommand):
    """``manage.py sync_catalogue``"""

    help = (
        "Fetch from TMDb now what the clock would fetch: the first fill if there was none,"
        " changes, trends, and all films that wait. Can be stopped and run again at will; asks"
        " again even when TMDb refused the key or was left alone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What can be asked."""
        parser.add_argument("--all", action="store_true", help="look at every film again")
        parser.add_argument("--trending", action="store_true", help="only what is in fashion")
        parser.add_argument(
            "--status", action="store_true", help="ask nothing of TMDb; say how the sync stands"
        )

    def handle(self, *_args: object, **options: Any) -> None:
        """Do it, kind by kind."""
        if options["status"]:
            for line in status.lines(timezone.now()):
                self.stdout.write(line)
            return
        try:
            with connect() as tmdb:
                tmdb.reset()
        except (MissingApiKey, TmdbPaused) as error:
            raise CommandError(str(error)) from error
        fetch_queue.retry_now()
        if options["all"]:
            fetch_queue.enqueue_oldest(_EVERY)
        with stop_signals() as is_stopping:
            for kind in ("trending",) if options["trending"] else _ALL:
                row = run(
                    kind,
                    is_stopping=is_stopping,
                    budget_seconds=_A_DAY_SECONDS,
                    watched=progress,
                )
                self._tell(row)
                if is_stopping():
                    raise CommandError("Stopped. Run the same again to go on.", returncode=STOPPED)

    def _tell(self, row: SyncRun) -> None:
        self.stdout.write(status.describe(row, timezone.now(), is_running=True))
        for word in row.words:
            self.stdout.write(f"          {word}")
        self.stdout.flush()
        if row.state != SyncRun.State.DONE:
            left = fetch_queue.count_waiting()
            raise CommandError(f"{row.note or row.state} ({left} films are still to be fetched.)")
