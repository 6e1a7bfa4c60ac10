"""manage.py rebuild: rebuild read models from the log."""

import os
import re
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime
from rich.console import Console

from events.store.generations import RebuildInProgress, rebuild_lock
from infra.client_times import is_future, to_utc
from projectors.errors import RetryLater, StopProjector
from projectors.management.arguments import chosen, naming, print_verdicts
from projectors.rebuild.comparison import CouldNotCompare
from projectors.rebuild.cutover import NotTakenOver
from projectors.rebuild.dry_run import preview
from projectors.rebuild.job import GenerationsDiffer, RebuildJob, RebuildOptions
from projectors.rebuild.plan import LabelTaken
from projectors.rebuild.progress_view import ProgressView

CATALOGUE_TABLES = "catalogue-tables"
_LABEL = re.compile("[a-z0-9][a-z0-9-]{0,39}")


class Command(BaseCommand):
    help = (
        "Rebuild read models from the log, beside those that answer, and switch to them when"
        " they are level. If it was interrupted, run it again: it resumes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        naming(parser, more=f"; or {CATALOGUE_TABLES}, the command side's own tables")
        parser.add_argument(
            "--until",
            type=moment,
            metavar="TIME",
            help="as they were at a time (2026-11-24T12:00Z)",
        )
        parser.add_argument(
            "--into",
            type=_label,
            metavar="LABEL",
            help="the label by which queries find them: As-Of: LABEL",
        )
        parser.add_argument(
            "--verify",
            action="store_true",
            help="compare with the live ones at the same offsets; no switch on a difference",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="show what would change and how long it would take; change nothing",
        )
        parser.add_argument(
            "--processes",
            type=int,
            default=len(os.sched_getaffinity(0)),
            metavar="N",
            help="how many processes work in parallel (default: %(default)s, the number of cores)",
        )

    def handle(self, *_args: object, **options: Any) -> None:
        """Rebuild, with progress on stderr and the outcome on stdout."""
        if CATALOGUE_TABLES in options["name"]:
            if len(options["name"]) > 1 or options["all"] or options["until"]:
                raise CommandError(
                    f"{CATALOGUE_TABLES} are rebuilt without other read models and without --until."
                )
            call_command("rebuild_catalogue_tables", dry_run=options["dry_run"])
            return
        models = chosen(options["name"], is_all=options["all"], what="rebuild")
        job_options = RebuildOptions(
            label=options["into"],
            until=options["until"],
            verify=options["verify"],
            processes=max(1, options["processes"]),
        )
        if (job_options.label is None) != (job_options.until is None):
            raise CommandError("Give --until and --into together, or neither.")
        console = Console()
        try:
            if options["dry_run"]:
                preview(models, job_options, console)
                return
            with rebuild_lock(model.name for model in models), ProgressView() as screen:
                job = RebuildJob(models, job_options, screen)
                job.run()
        except RebuildInProgress as error:
            raise CommandError(
                f"{error.model} is being rebuilt by another process: wait for it, or stop it."
            ) from error
        except GenerationsDiffer as error:
            print_verdicts(error.verdicts)
            raise CommandError(str(error)) from error
        except LabelTaken as error:
            raise CommandError(str(error)) from error
        except (RetryLater, CouldNotCompare, NotTakenOver, StopProjector) as error:
            raise CommandError(f"Not switched: {error} (run it again to resume)") from error
        job.show_outcome(console)


def _label(text: str) -> str:
    if not _LABEL.fullmatch(text):
        raise ArgumentTypeError("A label has at most 40 lower-case letters, digits and hyphens.")
    return text


def moment(text: str) -> datetime:
    """A time in UTC, at most now; without an offset it is in UTC. Raises ArgumentTypeError."""
    wrong = f"{text!r} is not a time such as 2026-11-24T12:00:00Z."
    try:
        parsed = parse_datetime(text)
        if parsed is None:
            raise ArgumentTypeError(wrong)
        at = to_utc(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))
    except ValueError as error:
        raise ArgumentTypeError(wrong) from error
    now = datetime.now(UTC)
    if is_future(at, now=now):
        raise ArgumentTypeError("The time must not be in the future.")
    return min(at, now)
