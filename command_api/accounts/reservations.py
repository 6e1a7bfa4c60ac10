"""What becomes of a registration that stopped half-way?

If the person's stream is in the log, they are registered and only the vault does not know it yet.
If not, they never were, and the names are free again.
"""

from collections.abc import Sequence
from uuid import UUID

from command_api import log
from command_api.accounts.decider import stream_of
from events.vault import subjects


def settle(users: Sequence[UUID]) -> int:
    """Complete or give up reservations that nobody is working on any more; how many."""
    there = log.store().versions([stream_of(user_id) for user_id in users])
    for user_id in users:
        if stream_of(user_id).name in there:
            subjects.activate(user_id)
        else:
            subjects.release(user_id)
    return len(users)


def sweep() -> int:
    """Settle all that were left behind."""
    return settle(subjects.orphans())
