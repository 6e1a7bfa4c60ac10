"""How is somebody forgotten, so that whoever dies in between leaves what others go on with?

    mark in the vault ──▶ append ──▶ drop kept answers ──▶ destroy the key ──▶ look again

Each step may be done again, and ``sweep`` does what is left. What was on its way when the key went
may still come into the log: a minute later it is looked for, and if there is any, it is said once
more that they are erased, behind it.
"""

from collections.abc import Iterator
from uuid import UUID, uuid4

import structlog
from django.db import Error as DatabaseError

from command_api import event_store
from command_api.accounts.decider import stream_of as account_of
from command_api.aggregate import handle
from command_api.erasure.decider import EraseUser, erasure
from command_api.http import idempotency, token_revocation
from command_api.sessions import login_rate_limit
from events import notifications
from events.recorded import Origin, Position
from events.store import EventStore, WrongExpectedVersion
from events.stream_names import PLAYLISTS, erasure_of
from events.vault import erasures, subjects

_PAGE = 1000

_log = structlog.get_logger(__name__)


def mark_for_erasure(user_id: UUID) -> bool:
    """Mark somebody: from here on it is carried on, whatever happens. False: there is nobody."""
    is_there = erasures.begin(user_id)
    token_revocation.clear_cache()
    return is_there


def complete(user_id: UUID, *, origin: Origin) -> Position:
    """Do all that is left to do in log and vault; answers with the place of the event."""
    position = _say(user_id, event_store.store(), origin)
    idempotency.forget_user(user_id)
    login_rate_limit.forget_addresses(subjects.login_digests_of(user_id))
    erasures.destroy_key(user_id)
    token_revocation.clear_cache()
    notifications.announce(position.partition)
    return position


def sweep() -> int:
    """Carry on with all that is not done; how many were touched."""
    found = erasures.unsettled()
    for user_id in found:
        try:
            _settle(user_id)
        except (DatabaseError, WrongExpectedVersion) as fault:  # the others need not wait for it
            _log.warning("an erasure goes on later", user_id=str(user_id), fault=repr(fault))
    return len(found)


def erase_again_in_log() -> int:
    """Say it again to a log that has forgotten: an older backup of it was brought back.

    Those with a tombstone who are in the log, and of whom it does not say that they are erased.
    """
    return sum(
        _again(user_id)
        for some in _people(are_erased=True)
        for user_id in _in_log_but_not_erased(some)
    )


def erase_again_in_vault() -> int:
    """Destroy again what the log says is erased: an older backup of the vault was brought back."""
    found = 0
    for some in _people(are_erased=False):
        said = event_store.store().versions([erasure_of(user_id) for user_id in some])
        for user_id in some:
            if erasure_of(user_id).name in said:
                found += _again(user_id)
    return found


def _again(user_id: UUID) -> int:
    erasures.resume(user_id)
    mark_for_erasure(user_id)
    complete(user_id, origin=Origin(correlation_id=uuid4()))
    return 1


def _settle(user_id: UUID) -> None:
    progress = erasures.find(user_id)
    is_first = progress is None or progress.erased_at is None
    if not is_first and has_events_after_erasure(user_id, event_store.store()):
        erasures.resume(user_id)
    complete(user_id, origin=Origin(correlation_id=uuid4()))
    if not is_first:
        erasures.settle(user_id)


def _say(user_id: UUID, store: EventStore, origin: Origin) -> Position:
    command = EraseUser(
        user_id, tuple(playlists_of(user_id, store)), has_events_after_erasure(user_id, store)
    )
    return handle(command, erasure, store, origin=origin).position


def has_events_after_erasure(user_id: UUID, store: EventStore) -> bool:
    """Whether the log has anything of somebody behind what says that they are erased."""
    said = store.read(erasure_of(user_id))
    if not said:
        return False
    partition, at = said[-1].position
    while page := store.page_stored(partition, after=at, limit=_PAGE):
        if any(str(user_id) in stored.data for stored in page):
            return True
        at = page[-1].offset
    return False


def playlists_of(user_id: UUID, store: EventStore) -> Iterator[str]:
    """The ids of all that somebody ever had."""
    after = ""
    while names := store.streams(str(user_id), prefix=PLAYLISTS, after=after, limit=_PAGE):
        yield from (name.removeprefix(PLAYLISTS) for name in names)
        after = names[-1]


def _people(*, are_erased: bool) -> Iterator[list[UUID]]:
    after: UUID | None = None
    while some := erasures.user_ids(are_erased=are_erased, after=after, limit=_PAGE):
        yield list(some)
        after = some[-1]


def _in_log_but_not_erased(some: list[UUID]) -> list[UUID]:
    store = event_store.store()
    there = store.versions([account_of(user_id) for user_id in some])
    said = store.versions([erasure_of(user_id) for user_id in some])
    return [
        user_id
        for user_id in some
        if account_of(user_id).name in there and erasure_of(user_id).name not in said
    ]
