"""What becomes of a registration that stopped half-way?

If the person's stream is in the log, they are registered and only the vault does not know it yet.
If not, they never were, and the names are free again.

Nobody can tell a process that died from one that stands still and goes on an hour later, and log
and vault are two databases. So both sides do their part, or names would be free whose owner comes
into the log after all, without a key:

    who registers   takes the lock of the log ──▶ renews in the vault ──▶ appends ──▶ commits
    who settles     has read since when ──▶ takes the lock, or leaves it ──▶ looks into the log
                    ──▶ gives up what is still of that time

The lock ends with its transaction: whoever gets it sees what came of the one before, and whoever
lost it can't commit. What was renewed after the look is of another time, and stays; what was given
up can't be renewed.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection, transaction

from command_api import event_store
from command_api.accounts.decider import stream_of
from events.vault import subjects
from events.vault.subjects import Reservation
from infra.advisory_lock import transaction_lock, try_transaction_lock
from infra.errors import Unavailable

_LOCKS = "reservations"


def renew(user_id: UUID) -> None:
    """Go on with one, in the transaction that appends; raises Unavailable when it was given up."""
    with connection.cursor() as cursor:
        transaction_lock(cursor, (_LOCKS, str(user_id)))
    if not subjects.renew(user_id):
        raise Unavailable("This took too long, and the names were given up. Try again.")


def resolve(found: Sequence[Reservation]) -> int:
    """Complete or give up those that nobody is working on any more; how many."""
    return sum(_resolve(each) for each in found)


def sweep() -> int:
    """Settle all that were left behind."""
    return resolve(subjects.orphans())


def _resolve(reservation: Reservation) -> bool:
    stream = stream_of(reservation.user_id)
    with transaction.atomic():
        if not _is_alone_with(reservation.user_id):
            return False
        if event_store.store().versions([stream]):
            subjects.activate(reservation.user_id)
        else:
            subjects.release(reservation)
    return True


def _is_alone_with(user_id: UUID) -> bool:
    with connection.cursor() as cursor:
        return try_transaction_lock(cursor, (_LOCKS, str(user_id)))
