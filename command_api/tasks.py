"""What has to be tidied up after commands?"""

from celery import shared_task

from command_api.http import idempotency


@shared_task(name="commands.sweep_answers")  # type: ignore[untyped-decorator] # Celery ships no types
def sweep_answers() -> int:
    """Drop the answers to commands that need be kept no longer; how many."""
    return idempotency.delete_expired()
