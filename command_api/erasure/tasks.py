"""What is left of erasures that stopped half-way, or that a log has forgotten?"""

from celery import shared_task

from command_api.erasure import process


@shared_task(name="erasures.sweep")  # type: ignore[untyped-decorator] # Celery ships no types
def sweep() -> int:
    """Carry them on; how many."""
    return process.sweep()


@shared_task(name="erasures.recall")  # type: ignore[untyped-decorator] # Celery ships no types
def recall() -> int:
    """Say it again to a log that was brought back from an older backup; of how many."""
    return process.erase_again_in_log()
