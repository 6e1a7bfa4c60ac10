"""How does the sync with TMDb stand, in words?"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from command_api.catalogue.models import SyncRun, TmdbFilm, TrendObservation
from command_api.sync import fetch_queue
from command_api.sync.job_runner import running_jobs
from command_api.sync.jobs import JOBS


def lines(now: datetime) -> Iterator[str]:
    """A line a kind, what a person should know below it, and the films."""
    rows = {row.kind: row for row in SyncRun.objects.all()}
    busy = running_jobs()
    for kind in JOBS:
        row = rows.get(kind) or SyncRun(kind=kind)
        yield describe(row, now, is_running=kind in busy)
        yield from (f"          {word}" for word in row.words)
    for board in TrendObservation.objects.order_by("board"):
        yield f"{board.board:9} observed {age(board.observed_at, now)} ago"
    gone = TmdbFilm.objects.filter(gone_at__isnull=False).count()
    yield (
        f"films     {TmdbFilm.objects.count()} known, {fetch_queue.count_waiting()} to be fetched"
        f" ({fetch_queue.count_postponed()} of them later), {gone} gone from TMDb,"
        f" {fetch_queue.count_unreadable()} unreadable"
    )


def describe(row: SyncRun, now: datetime, *, is_running: bool) -> str:
    """How the last run of a kind ended, or how far it is."""
    when = row.ended_at or row.begun_at
    said = [f"{row.kind:9} {state_of(row, is_running=is_running)}"]
    if when is not None:
        said.append(f"{age(when, now)} ago")
    if row.counts:
        said.append(counted(row.counts))
    if (in_all := row.in_all()) != row.counts:
        said.append(f"in all: {counted(in_all)}")
    if row.note:
        said.append(row.note)
    if row.state != SyncRun.State.DONE and row.done_at:
        said.append(f"all was done {age(row.done_at, now)} ago")
    return "; ".join(said)


def state_of(row: SyncRun, *, is_running: bool) -> str:
    """Its state; who ended half-way could not say so."""
    if row.state == SyncRun.State.RUNNING and not is_running:
        return "interrupted; the next run goes on"
    return str(row.state)


def counted(counts: Mapping[str, int]) -> str:
    """What was counted, by name."""
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))


def age(then: datetime, now: datetime) -> str:
    """How long ago, without fractions."""
    return str(timedelta(seconds=round((now - then).total_seconds())))
