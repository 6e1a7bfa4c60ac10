"""How does a log-in begin?

The same way wherever it is done: over HTTP for tokens (api.py), and at the admin pages.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from command_api import event_store
from command_api.accounts import passwords
from command_api.accounts.decider import stream_of
from command_api.sessions import login_rate_limit, logout
from events.vault import refresh_families, subjects
from events.vault.refresh_families import RefreshTokenId
from events.vault.subjects import Credentials
from infra.errors import Unauthenticated


class OpenedSession(NamedTuple):
    """A log-in, and which revocation of all log-ins came before it."""

    refresh: RefreshTokenId
    epoch: int


def authenticate(login: str, password: str, meta: Mapping[str, Any]) -> Credentials:
    """Who has this password; raises Unauthenticated, after as long for somebody as for nobody.

    The attempt was counted before (attempts.admit).
    """
    found = subjects.find(login)
    right = passwords.is_correct(password, found and found.password_hash)
    if found is None or not right or not _is_settled(found):
        raise Unauthenticated("The login or the password is wrong.")
    login_rate_limit.remember_address(login, meta)
    return found


def open_session(found: Credentials, *, life: timedelta) -> OpenedSession:
    """Log somebody in who was recognised; raises Unauthenticated if that is over meanwhile."""
    epoch = logout.sync_epoch(found.user_id, found.epoch)
    begun = refresh_families.create(found.user_id, password_hash=found.password_hash, life=life)
    if begun is None:
        raise Unauthenticated("The password was changed at this moment.")
    return OpenedSession(begun, epoch)


def _is_settled(found: Credentials) -> bool:
    """Whether the registration is complete; if only the vault doesn't know, it does now."""
    if not found.is_active:
        there = event_store.store().versions([stream_of(found.user_id)])
        if not there:
            return False
        subjects.activate(found.user_id)
    return True
