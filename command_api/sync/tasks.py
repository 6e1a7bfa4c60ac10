"""Celery task of the sync jobs; infra/celery.py has their schedule.

Late tasks expire instead of piling up, a job never runs twice at once, and each run has a time
budget. A run that used it up starts the next at once, since the schedule would lose a second or two
of thirty. An error of TMDb does not fail the task: it is saved in the job's row, and the schedule
tries again.
"""

from celery import shared_task

from command_api.sync.job_runner import TIME_IS_UP, run_job
from command_api.sync.jobs import JobKind

AT_ONCE_SECONDS = 10.0
"""Expiry of the next run: by then the schedule has started one."""


@shared_task(name="catalogue.sync")  # type: ignore[untyped-decorator] # Celery ships no types
def sync(kind: JobKind) -> str:
    """Run a job; return its state at the end."""
    row = run_job(kind)
    if row.note == TIME_IS_UP:
        sync.apply_async((kind,), expires=AT_ONCE_SECONDS)
    return row.state
