"""What is left of registrations that stopped half-way, and of letters that nobody answered?"""

from celery import shared_task

from command_api.accounts import reservation_cleanup
from events.vault import outgoing_mail


@shared_task(name="accounts.sweep_reservations")  # type: ignore[untyped-decorator] # Celery ships no types
def sweep_reservations() -> int:
    """Settle them; how many."""
    return reservation_cleanup.sweep()


@shared_task(name="accounts.sweep_mailed_tokens")  # type: ignore[untyped-decorator] # as above
def sweep_mailed_tokens() -> int:
    """Drop their tokens; how many."""
    return outgoing_mail.delete_expired_tokens()
