"""How is one run of a kind made: alone, within its time, and with what came of it kept?"""

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
"""What is left is done by the next run: a worker that does one thing at a time has other tasks,
too, and some are dropped after a minute. Just less than two turns of the clock for films."""
TIME_IS_UP = "its time was up; the next run goes on"
_LOCKS = 0x53_59_4E_43  # any number that nobody else locks with
_HELD = """
SELECT objid::integer FROM pg_locks
 WHERE locktype = 'advisory' AND classid = %s AND objsubid = 2 AND granted
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

_log = structlog.get_logger(__name__)


def run(
    kind: JobKind,
    *,
    is_stopping: Callable[[], bool] = lambda: False,
    budget_seconds: float = BUDGET_SECONDS,
    watched: ProgressReporter = no_progress,
) -> SyncRun:
    """Do what there is to do now; what came of it. Does nothing while another run is at it."""
    until = monotonic() + budget_seconds
    # Held by the session: it ends with the connection, too.
    with session_lock((_LOCKS, list(JOBS).index(kind))) as is_alone:
        row, _ = SyncRun.objects.get_or_create(kind=kind)
        if not is_alone:
            return row
        before = row.state
        row.begin(timezone.now())
        try:
            with connect() as tmdb:
                found = JobContext(
                    tmdb,
                    event_store.store(),
                    is_over=lambda: is_stopping() or monotonic() > until,
                    watched=watched,
                )
                _do(kind, row, found)
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
    """The kinds that a run is at, in whatever process."""
    kinds = list(JOBS)
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [_LOCKS])
        return frozenset(kinds[number] for (number,) in cursor.fetchall() if number < len(kinds))


def _do(kind: JobKind, row: SyncRun, found: JobContext) -> None:
    found.counts.update(runs=1, events=0)

    def note() -> None:
        row.counts = dict(found.counts)
        row.words = list(found.words)
        row.save()

    found.note = note
    try:
        JOBS[kind](found, row)
    finally:
        note()
        count("marquee_sync_events_total", found.counts["events"], kind=kind)
    if found.is_over():
        row.end(SyncRun.State.WAITING, timezone.now(), TIME_IS_UP)
    else:
        row.end(SyncRun.State.DONE, timezone.now(), "")


def _end(row: SyncRun, state: SyncRun.State, fault: BaseException, before: str) -> None:
    row.end(state, timezone.now(), str(fault).replace("\x00", "") or type(fault).__name__)
    if state != before or state == SyncRun.State.FAILED:  # said once, not every 15 seconds
        _log.warning("sync stopped", kind=row.kind, state=state.value, why=row.note)
