"""Rules for logging out, once or everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from command_api.aggregate import Aggregate
from events.catalogue import SessionRevoked, SessionsRevoked
from events.recorded import Stream


@dataclass(frozen=True, slots=True)
class RevokeSession:
    user_id: UUID
    family: UUID
    expires_at: datetime
    """When the last access token of the log-in expires."""


@dataclass(frozen=True, slots=True)
class RevokeSessions:
    user_id: UUID


SessionCommand: TypeAlias = RevokeSession | RevokeSessions
SessionEvent: TypeAlias = SessionRevoked | SessionsRevoked


@dataclass(frozen=True, slots=True)
class SessionsState:
    """The revoked log-ins, and the epoch below which all tokens are revoked."""

    epoch: int = 0
    revoked: frozenset[UUID] = frozenset()


def decide(command: SessionCommand, sessions: SessionsState) -> Sequence[SessionEvent]:
    match command:
        case RevokeSession(family=family) if family in sessions.revoked:
            return ()
        case RevokeSession(user_id=user, family=family, expires_at=expires_at):
            return (SessionRevoked(user_id=user, family=family, expires_at=expires_at),)
        case RevokeSessions(user_id=user):
            return (SessionsRevoked(user_id=user, epoch=sessions.epoch + 1),)


def evolve(sessions: SessionsState, event: SessionEvent) -> SessionsState:
    """Apply an event; a new epoch ends all log-ins, so the list of revoked ones starts empty."""
    match event:
        case SessionRevoked(family=family):
            return SessionsState(sessions.epoch, sessions.revoked | {family})
        case SessionsRevoked(epoch=epoch):
            return SessionsState(epoch)


sessions: Aggregate[SessionCommand, SessionsState, SessionEvent] = Aggregate(
    stream=lambda command: Stream(f"sessions-{command.user_id}", str(command.user_id)),
    initial=SessionsState(),
    decide=decide,
    evolve=evolve,
)
