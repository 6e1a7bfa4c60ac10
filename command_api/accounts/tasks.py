"""Celery tasks that clean up unfinished registrations and expired mailed tokens."""

from celery import shared_task

from command_api.accounts import reservation_cleanup
from events.vault import outgoing_mail


@shared_task(name="accounts.sweep_reservations")  # type: ignore[untyped-decorator] # Celery ships no types
def sweep_reservations() -> int:
    """Complete or release unfinished registrations; return how many."""
    return reservation_cleanup.sweep()


@shared_task(name="accounts.sweep_mailed_tokens")  # type: ignore[untyped-decorator] # as above
def sweep_mailed_tokens() -> int:
    """Delete expired mailed tokens; return how many."""
    return outgoing_mail.delete_expired_tokens()
