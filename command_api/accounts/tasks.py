"""What has to be tidied up after people who came and went?"""

from celery import shared_task

from command_api.accounts import reservations
from command_api.sessions import ending


@shared_task(name="accounts.sweep_reservations")  # type: ignore[untyped-decorator] # Celery ships no types
def sweep_reservations() -> int:
    """Settle registrations that stopped half-way; how many."""
    return reservations.sweep()


@shared_task(name="accounts.sweep_sessions")  # type: ignore[untyped-decorator] # Celery ships no types
def sweep_sessions() -> int:
    """Drop log-ins that are over; how many."""
    return ending.sweep()
