"""Celery tasks that complete interrupted erasures, and repeat those that a restored log lacks."""

from celery import shared_task

from command_api.erasure import process


@shared_task(name="erasures.sweep")  # type: ignore[untyped-decorator] # Celery ships no types
def sweep() -> int:
    """Complete interrupted erasures; return how many."""
    return process.sweep()


@shared_task(name="erasures.recall")  # type: ignore[untyped-decorator] # Celery ships no types
def recall() -> int:
    """Erase users again in a log restored from an older backup; return how many."""
    return process.erase_again_in_log()
