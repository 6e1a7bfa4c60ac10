"""What is left of log-ins that are over?"""

from celery import shared_task

from command_api.sessions import logout


@shared_task(name="sessions.sweep")  # type: ignore[untyped-decorator] # Celery ships no types
def sweep() -> int:
    """Drop them; how many."""
    return logout.delete_ended()
