"""Celery task that deletes ended log-ins."""

from celery import shared_task

from command_api.sessions import logout


@shared_task(name="sessions.sweep")  # type: ignore[untyped-decorator] # Celery ships no types
def sweep() -> int:
    """Delete log-ins whose last access token has expired; return how many."""
    return logout.delete_ended()
