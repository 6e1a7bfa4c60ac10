"""What is left of registrations that stopped half-way?"""

from celery import shared_task

from command_api.accounts import reservations


@shared_task(name="accounts.sweep_reservations")  # type: ignore[untyped-decorator] # Celery ships no types
def sweep_reservations() -> int:
    """Settle them; how many."""
    return reservations.sweep()
