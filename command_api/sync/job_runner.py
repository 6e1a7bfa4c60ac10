"""Job runner: one run of a sync job, alone, within a time budget, with its result saved."""

from collections.abc import Callable
from time import monotonic

import structlog
from django.db import connection
from django.utils import timezone

from command_api import event_store
from command_api.catalogue.models import SyncRun
from command_api.catalogue.tmdb.client import connect
from command_api.catalogue.tmdb.errors import (
    MissingApiKey,
    RejectedApiKey,
    TmdbError,
    TmdbUnavailable,
)
from command_api.imports.session import ImportBusy
from command_api.sync.job_context import JobContext
from command_api.sync.jobs import JOBS, JobKind
from infra.advisory_lock import session_lock
from infra.observability import count
from infra.progress_bar import ProgressReporter, no_progress

BUDGET_SECONDS = 28.0
"""The worker runs one task at a time and drops some after a minute, so long jobs are split into
runs. Just less than two periods of the films job."""
TIME_IS_UP = "the time budget is used up; the next run continues"
_LOCKS = 0x53_59_4E_43  # any number that nothing else locks
_HELD = """
SELECT objid::integer FROM pg_locks
 WHERE locktype = 'advisory' AND classid = %s AND objsubid = 2 AND granted
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

_log = structlog.get_logger(__name__)


def run_job(
    kind: JobKind,
    *,
    is_stopping: Callable[[], bool] = lambda: False,
    budget_seconds: float = BUDGET_SECONDS,
    progress: ProgressReporter = no_progress,
) -> SyncRun:
    """Run a job and return its row; does nothing while another process runs it."""
    until = monotonic() + budget_seconds

    with session_lock((_LOCKS, list(JOBS).index(kind))) as is_alone:
        row, _ = SyncRun.objects.get_or_create(kind=kind)
        if not is_alone:
            return row
        before = row.state
        row.begin(timezone.now())
        try:
            with connect() as tmdb:
                job = JobContext(
                    tmdb,
                    event_store.store(),
                    row,
                    is_over=lambda: is_stopping() or monotonic() > until,
                    progress=progress,
                )
                _run(kind, job)
        except (MissingApiKey, RejectedApiKey) as fault:
            _end(row, SyncRun.State.REFUSED, fault, before)
        except (TmdbUnavailable, ImportBusy) as fault:
            _end(row, SyncRun.State.WAITING, fault, before)
        except TmdbError as fault:
            _end(row, SyncRun.State.FAILED, fault, before)
        except BaseException as fault:
            _end(row, SyncRun.State.FAILED, fault, before)
            raise
    return row


def running_jobs() -> frozenset[str]:
    """The jobs that any process runs now."""
    kinds = list(JOBS)
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [_LOCKS])
        return frozenset(kinds[number] for (number,) in cursor.fetchall() if number < len(kinds))


def _run(kind: JobKind, job: JobContext) -> None:
    job.counts.update(runs=1, events=0)
    try:
        JOBS[kind](job)
    finally:
        job.save()
        count("marquee_sync_events_total", job.counts["events"], kind=kind)
    if job.is_over():
        job.row.end(SyncRun.State.WAITING, timezone.now(), TIME_IS_UP)
    else:
        job.row.end(SyncRun.State.DONE, timezone.now(), "")


def _end(row: SyncRun, state: SyncRun.State, fault: BaseException, before: str) -> None:
    row.end(state, timezone.now(), str(fault).replace("\x00", "") or type(fault).__name__)
    if state != before or state == SyncRun.State.FAILED:  # once, not every 15 seconds
        _log.warning("sync stopped", kind=row.kind, state=state.value, why=row.note)
