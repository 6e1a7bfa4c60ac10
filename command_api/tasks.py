"""Celery tasks of the command side; infra/celery.py has their schedule. Each returns a count."""

from celery import shared_task

from command_api.accounts import reservation_cleanup
from command_api.erasure import process
from command_api.http import idempotency
from command_api.sessions import logout
from command_api.sync.job_runner import TIME_IS_UP, run_job
from command_api.sync.jobs import JobKind
from events.vault import outgoing_mail

AT_ONCE_SECONDS = 10.0
"""Expiry of a sync job's next run: by then the schedule has started one."""

# Celery ships no types.
sweep_answers = shared_task(name="commands.sweep_answers")(idempotency.delete_expired)
sweep_reservations = shared_task(name="accounts.sweep_reservations")(reservation_cleanup.sweep)
sweep_mailed_tokens = shared_task(name="accounts.sweep_mailed_tokens")(
    outgoing_mail.delete_expired_tokens
)
sweep_sessions = shared_task(name="sessions.sweep")(logout.delete_ended)
sweep_erasures = shared_task(name="erasures.sweep")(process.sweep)
recall_erasures = shared_task(name="erasures.recall")(process.erase_again_in_log)


@shared_task(name="catalogue.sync")  # type: ignore[untyped-decorator] # Celery ships no types
def sync(kind: JobKind) -> str:
    """Run a job of the sync with TMDb; return its state at the end.

    Late tasks expire instead of piling up, a job never runs twice at once, and each run has a time
    budget. A run that used it up starts the next at once, since the schedule would lose a second or
    two of thirty. An error of TMDb does not fail the task: it is saved in the job's row, and the
    schedule tries again.
    """
    row = run_job(kind)
    if row.note == TIME_IS_UP:
        sync.apply_async((kind,), expires=AT_ONCE_SECONDS)
    return row.state
