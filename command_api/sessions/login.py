"""Log-in: checks the password and opens a session, for tokens (api.py) and for the admin pages."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from command_api import event_store
from command_api.accounts import password_hashing
from command_api.accounts.decider import stream_of
from command_api.sessions import login_rate_limit, logout
from events.vault import refresh_families, subjects
from events.vault.refresh_families import RefreshTokenId
from events.vault.subjects import Credentials
from infra.errors import Unauthenticated


def authenticate(login: str, password: str, meta: Mapping[str, Any]) -> Credentials:
    """Check login and password; return the credentials. Raises Unauthenticated.

    An unknown login takes as long as a wrong password. The caller has counted the attempt
    (``login_rate_limit.admit``).
    """
    credentials = subjects.find(login)
    is_correct = password_hashing.is_correct(password, credentials and credentials.password_hash)
    if credentials is None or not is_correct or not _is_registered(credentials):
        raise Unauthenticated("The login or the password is wrong.")
    login_rate_limit.remember_address(login, meta)
    return credentials


def open_session(credentials: Credentials, *, life: timedelta) -> tuple[RefreshTokenId, int]:
    """Open a session; return its refresh token, and the epoch that its access tokens carry.

    Raises Unauthenticated if the password was changed since it was checked.
    """
    epoch = logout.sync_epoch(credentials.user_id, credentials.epoch)
    refresh = refresh_families.create(
        credentials.user_id, password_hash=credentials.password_hash, life=life
    )
    if refresh is None:
        raise Unauthenticated("The password was changed meanwhile. Log in with the new one.")
    return refresh, epoch


def _is_registered(credentials: Credentials) -> bool:
    """Whether the registration is complete; marks it in the vault if only that is missing."""
    if not credentials.is_active:
        in_log = event_store.store().versions([stream_of(credentials.user_id)])
        if not in_log:
            return False
        subjects.activate(credentials.user_id)
    return True
