"""Erasure process: restartable steps that erase a user in log and vault.

    mark in the vault ──▶ append the event ──▶ delete stored answers ──▶ destroy the key ──▶ recheck

Each step may be repeated, and ``sweep`` completes what stopped. Events in flight while the key was
destroyed may still be appended. So a minute later the log is checked, and if there are any,
``UserErased`` is appended once more, after them.
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
    """Mark a user, so that the erasure will be completed. False if there is no such user."""
    is_marked = erasures.begin(user_id)
    token_revocation.clear_cache()
    return is_marked


def complete(user_id: UUID, *, origin: Origin) -> Position:
    """Do all remaining steps; return the event's position."""
    store = event_store.store()
    playlists = tuple(playlists_of(user_id, store))
    command = EraseUser(user_id, playlists, has_events_after_erasure(user_id, store))
    position = handle(command, erasure, store, origin=origin).position
    idempotency.forget_user(user_id)
    login_rate_limit.forget_addresses(subjects.login_digests_of(user_id))
    erasures.destroy_key(user_id)
    token_revocation.clear_cache()
    notifications.announce(position.partition)
    return position


def sweep() -> int:
    """Continue all unfinished erasures; return how many."""
    unfinished = erasures.unsettled()
    for user_id in unfinished:
        try:
            _finish(user_id)
        except (DatabaseError, WrongExpectedVersion) as fault:  # must not hold up the others
            _log.warning(
                "erasure interrupted; the next sweep will retry it",
                user_id=str(user_id),
                fault=repr(fault),
            )
    return len(unfinished)


def erase_again_in_log() -> int:
    """Repeat erasures that a log restored from an older backup lacks; return how many.

    These are users with a tombstone in the vault, but without ``UserErased`` in the log.
    """
    return sum(
        _erase_again(user_id)
        for page in _pages_of_users(are_erased=True)
        for user_id in _in_log_but_not_erased(page)
    )


def erase_again_in_vault() -> int:
    """Repeat erasures that a vault restored from an older backup lacks; return how many."""
    count = 0
    for page in _pages_of_users(are_erased=False):
        erased = event_store.store().versions([erasure_of(user_id) for user_id in page])
        for user_id in page:
            if erasure_of(user_id).name in erased:
                count += _erase_again(user_id)
    return count


def _erase_again(user_id: UUID) -> int:
    erasures.resume(user_id)
    mark_for_erasure(user_id)
    complete(user_id, origin=Origin(correlation_id=uuid4()))
    return 1


def _finish(user_id: UUID) -> None:
    progress = erasures.find(user_id)
    is_first = progress is None or progress.erased_at is None
    if not is_first and has_events_after_erasure(user_id, event_store.store()):
        erasures.resume(user_id)
    complete(user_id, origin=Origin(correlation_id=uuid4()))
    if not is_first:
        erasures.settle(user_id)


def has_events_after_erasure(user_id: UUID, store: EventStore) -> bool:
    """Return whether the log has events of the user after their last ``UserErased``."""
    history = store.read(erasure_of(user_id))
    if not history:
        return False
    partition, at = history[-1].position
    while page := store.page_stored(partition, after=at, limit=_PAGE):
        if any(str(user_id) in stored.data for stored in page):
            return True
        at = page[-1].offset
    return False


def playlists_of(user_id: UUID, store: EventStore) -> Iterator[str]:
    """Yield the ids of all playlists that the user ever had."""
    after = ""
    while names := store.streams(str(user_id), prefix=PLAYLISTS, after=after, limit=_PAGE):
        yield from (name.removeprefix(PLAYLISTS) for name in names)
        after = names[-1]


def _pages_of_users(*, are_erased: bool) -> Iterator[list[UUID]]:
    after: UUID | None = None
    while page := erasures.user_ids(are_erased=are_erased, after=after, limit=_PAGE):
        yield list(page)
        after = page[-1]


def _in_log_but_not_erased(user_ids: list[UUID]) -> list[UUID]:
    store = event_store.store()
    accounts = store.versions([account_of(user_id) for user_id in user_ids])
    erased = store.versions([erasure_of(user_id) for user_id in user_ids])
    return [
        user_id
        for user_id in user_ids
        if account_of(user_id).name in accounts and erasure_of(user_id).name not in erased
    ]
