"""Log-out: ends one log-in or all, first in the log (for queries), then in the vault.

If a process stops in between, the next log-in or refresh finds the difference and completes it.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from command_api import event_store
from command_api.aggregate import Handled, handle
from command_api.http import token_revocation
from command_api.sessions.decider import RevokeSession, RevokeSessions, SessionsState, sessions
from events.recorded import Origin
from events.vault import refresh_families, subjects
from infra.config import config

_MARGIN = timedelta(minutes=5)


def end_session(user_id: UUID, family: UUID, *, origin: Origin) -> Handled[SessionsState]:
    over = datetime.now(UTC) + _access_life()
    command = RevokeSession(user_id, family, over)
    handled = handle(command, sessions, event_store.store(), origin=origin)
    refresh_families.revoke(family)
    token_revocation.clear_cache(family)
    return handled


def end_all_sessions(user_id: UUID, *, origin: Origin) -> Handled[SessionsState]:
    handled = handle(RevokeSessions(user_id), sessions, event_store.store(), origin=origin)
    _end_in_vault(user_id, handled.state.epoch)
    return handled


def sync_epoch(user_id: UUID, epoch: int) -> int:
    """Return the user's current epoch; brings the vault's ``epoch`` up to the log's."""
    history = event_store.store().read(sessions.stream(RevokeSessions(user_id)))
    in_log = sessions.state(history).epoch
    if in_log > epoch:
        _end_in_vault(user_id, in_log)
    return max(in_log, epoch)


def delete_ended() -> int:
    """Delete log-ins whose last access token has expired; return how many."""
    return refresh_families.delete_ended(after=_access_life() + _MARGIN)


def _end_in_vault(user_id: UUID, epoch: int) -> None:
    # The epoch last: otherwise a log-in not yet revoked could be refreshed to the new epoch.
    refresh_families.revoke_all(user_id)
    subjects.raise_epoch(user_id, epoch)
    token_revocation.clear_cache()


def _access_life() -> timedelta:
    return timedelta(minutes=config().access_minutes)
