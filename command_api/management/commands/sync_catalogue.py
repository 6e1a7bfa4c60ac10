"""manage.py sync_catalogue: run the sync with TMDb now, or show its status."""

from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from command_api.catalogue.models import SyncRun
from command_api.catalogue.tmdb.client import connect
from command_api.catalogue.tmdb.errors import MissingApiKey, TmdbPaused
from command_api.imports.base_command import STOPPED
from command_api.imports.session import stop_signals
from command_api.sync import fetch_queue, status
from command_api.sync.job_runner import run_job
from command_api.sync.jobs import JOBS, JobKind
from infra.progress_bar import progress

_A_DAY_SECONDS = 86_400.0
_EVERY = 10_000_000


class Command(BaseCommand):
    help = (
        "Run all sync jobs with TMDb now: the first fill if there was none, changes, trends and all"
        " queued films. Can be stopped and run again. Tries again even if TMDb rejected the key or"
        " requests are paused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="fetch every film again")
        parser.add_argument("--trending", action="store_true", help="only the trending boards")
        parser.add_argument(
            "--status", action="store_true", help="show the sync's status, without requests"
        )

    def handle(self, *_args: object, **options: Any) -> None:
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
            kinds: Iterable[JobKind] = ("trending",) if options["trending"] else JOBS
            for kind in kinds:
                row = run_job(
                    kind,
                    is_stopping=is_stopping,
                    budget_seconds=_A_DAY_SECONDS,
                    progress=progress,
                )
                self._print(row)
                if is_stopping():
                    raise CommandError(
                        "Stopped. Run the same command again to resume.", returncode=STOPPED
                    )

    def _print(self, row: SyncRun) -> None:
        self.stdout.write(status.describe(row, timezone.now(), is_running=True))
        for warning in row.words:
            self.stdout.write(f"          {warning}")
        self.stdout.flush()
        if row.state != SyncRun.State.DONE:
            queued = fetch_queue.count_waiting()
            raise CommandError(f"{row.note or row.state} ({queued} films are still queued.)")
