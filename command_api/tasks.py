"""Celery task that deletes expired answers to commands."""

from celery import shared_task

from command_api.http import idempotency


@shared_task(name="commands.sweep_answers")  # type: ignore[untyped-decorator] # Celery ships no types
def sweep_answers() -> int:
    """Delete expired answers; return how many."""
    return idempotency.delete_expired()
