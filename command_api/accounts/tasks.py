"""What is left of registrations that stopped half-way, and of letters that nobody answered?"""

from celery import shared_task

from command_api.accounts import reservations
from events.vault import letters


@shared_task(name="accounts.sweep_reservations")  # type: ignore[untyped-decorator] # Celery ships no types
def sweep_reservations() -> int:
    """Settle them; how many."""
    return reservations.sweep()


@shared_task(name="accounts.sweep_mailed_tokens")  # type: ignore[untyped-decorator] # as above
def sweep_mailed_tokens() -> int:
    """Drop their tokens; how many."""
    return letters.forget_expired()
