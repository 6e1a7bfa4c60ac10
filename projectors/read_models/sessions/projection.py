"""Projection of sessions: revoked token families and epochs."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from events.catalogue import AnyEvent, SessionRevoked, SessionsRevoked, UserErased

EPOCH = "epoch"
ERASED = "erased"


class RevocationChange(NamedTuple):
    """The sum of a batch's revocations of one user."""

    is_reset: bool
    """Whether earlier fields are void: after a new epoch or an erasure."""
    fields: dict[str, str | None]


def revocation_changes(events: Sequence[AnyEvent]) -> dict[str, RevocationChange]:
    """Sum up one partition's events, in order, by user."""
    changes: dict[str, RevocationChange] = {}
    for event in events:
        match event:
            case SessionsRevoked(user_id=user, epoch=epoch):
                changes[str(user)] = RevocationChange(is_reset=True, fields={EPOCH: str(epoch)})
            case SessionRevoked(user_id=user, family=family, expires_at=expires_at):
                change = changes.setdefault(str(user), RevocationChange(is_reset=False, fields={}))
                change.fields[str(family)] = _seconds(expires_at)
            case UserErased(user_id=user):
                changes[str(user)] = RevocationChange(is_reset=True, fields={ERASED: "1"})
            case _:  # not about sessions
                continue
    return changes


def _seconds(at: datetime) -> str:
    return str(round(at.timestamp()))
