"""Status of the sync in words, for manage.py sync_catalogue --status and the admin pages."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from command_api.catalogue.models import SyncRun, TmdbFilm, TrendObservation
from command_api.sync import fetch_queue
from command_api.sync.job_runner import running_jobs
from command_api.sync.jobs import JOBS


def lines(now: datetime) -> Iterator[str]:
    """A line per job with its warnings, then boards and films."""
    rows = {row.kind: row for row in SyncRun.objects.all()}
    running = running_jobs()
    for kind in JOBS:
        row = rows.get(kind) or SyncRun(kind=kind)
        yield describe(row, now, is_running=kind in running)
        yield from (f"          {warning}" for warning in row.words)
    for board in TrendObservation.objects.order_by("board"):
        yield f"{board.board:9} observed {age(board.observed_at, now)} ago"
    gone = TmdbFilm.objects.filter(gone_at__isnull=False).count()
    yield (
        f"films     {TmdbFilm.objects.count()} known, {fetch_queue.count_waiting()} to be fetched"
        f" ({fetch_queue.count_postponed()} of them later), {gone} gone from TMDb,"
        f" {fetch_queue.count_unreadable()} unreadable"
    )


def describe(row: SyncRun, now: datetime, *, is_running: bool) -> str:
    when = row.ended_at or row.begun_at
    parts = [f"{row.kind:9} {state_of(row, is_running=is_running)}"]
    if when is not None:
        parts.append(f"{age(when, now)} ago")
    if row.counts:
        parts.append(counted(row.counts))
    if (all_counts := row.all_counts()) != row.counts:
        parts.append(f"in all: {counted(all_counts)}")
    if row.note:
        parts.append(row.note)
    if row.state != SyncRun.State.DONE and row.done_at:
        parts.append(f"last complete run {age(row.done_at, now)} ago")
    return "; ".join(parts)


def state_of(row: SyncRun, *, is_running: bool) -> str:
    """The row's state; a run that crashed is ``interrupted``."""
    if row.state == SyncRun.State.RUNNING and not is_running:
        return "interrupted; the next run continues"
    return str(row.state)


def counted(counts: Mapping[str, int]) -> str:
    """``name number`` pairs, sorted by name."""
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))


def age(then: datetime, now: datetime) -> str:
    """Time since ``then``, in whole seconds."""
    return str(timedelta(seconds=round((now - then).total_seconds())))
