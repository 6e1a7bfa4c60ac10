"""Cleanup of registrations that stopped half-way: completes them, or releases their names.

If the user's stream is in the log, the registration is complete and only the vault lacks the mark.
If not, the names are released.

A process that died looks like one that pauses and continues an hour later, and log and vault are
two databases. Without a protocol, names could be released first, and their owner appended
afterwards, without a key:

    registration   takes the log's advisory lock ──▶ renews in the vault ──▶ appends ──▶ commits
    cleanup        has read the reservation's time ──▶ tries the lock, skips if it is held
                   ──▶ looks for the stream ──▶ releases the reservation if its time is unchanged

The lock ends with its transaction: its next holder sees whether the last one committed, and a
transaction that lost it can't commit. A reservation renewed after it was read has a new time and
stays; a released one can't be renewed.
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
    """Keep a reservation, in the transaction that appends; raises Unavailable if released."""
    with connection.cursor() as cursor:
        transaction_lock(cursor, (_LOCKS, str(user_id)))
    if not subjects.renew(user_id):
        raise Unavailable("The registration took too long and its names were released. Try again.")


def resolve(reservations: Sequence[Reservation]) -> int:
    """Complete or release the reservations that no process holds; return how many."""
    return sum(_resolve(each) for each in reservations)


def sweep() -> int:
    """Resolve all orphaned reservations; return how many."""
    return resolve(subjects.orphans())


def _resolve(reservation: Reservation) -> bool:
    stream = stream_of(reservation.user_id)
    with transaction.atomic():
        with connection.cursor() as cursor:
            if not try_transaction_lock(cursor, (_LOCKS, str(reservation.user_id))):
                return False
        if event_store.store().versions([stream]):
            subjects.activate(reservation.user_id)
        else:
            subjects.release(reservation)
    return True
