"""Which parts of the sync are done on a clock? (infra/celery.py says when)

Each is dropped rather than piled up, does nothing while another of its kind runs, and ends in time;
what is left is done by the next, which is asked for at once: the clock would let one or two seconds
of thirty go by. A fault of TMDb's is no fault of the task's: it is kept in the row of its kind, and
the clock tries again.
"""

from celery import shared_task

from command_api.sync.job_runner import TIME_IS_UP, run
from command_api.sync.jobs import JobKind

AT_ONCE_SECONDS = 10.0
"""When it is too late to go on at once: the clock did."""


@shared_task(name="catalogue.sync")  # type: ignore[untyped-decorator] # Celery ships no types
def sync(kind: JobKind) -> str:
    """One run of a kind; how it ended."""
    row = run(kind)
    if row.note == TIME_IS_UP:
        sync.apply_async((kind,), expires=AT_ONCE_SECONDS)
    return row.state
