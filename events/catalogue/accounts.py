"""What can happen to an account and to what its owner prefers?

Personal fields are sealed (events/vault): the log never holds them in clear.
"""

from datetime import datetime
from typing import NewType, TypeAlias
from uuid import UUID

from events.event import Event

EncryptedField = NewType("EncryptedField", str)
"""Base64 of what events.vault.encryption made of a personal field with the subject's own key."""


class UserRegistered(Event, frozen=True, kw_only=True, tag="user-registered.v1"):
    """Someone opened an account."""

    user_id: UUID
    username: EncryptedField
    email: EncryptedField


class EmailVerified(Event, frozen=True, kw_only=True, tag="email-verified.v1"):
    """Whoever has the account reads what is sent to its address."""

    user_id: UUID


class PreferencesChanged(Event, frozen=True, kw_only=True, tag="preferences-changed.v1"):
    """A user said what they like and what others may see; the event carries all of it."""

    user_id: UUID
    genres: tuple[str, ...] = ()
    public_activity: bool = False
    strategy: str | None = None


class SessionRevoked(Event, frozen=True, kw_only=True, tag="session-revoked.v1"):
    """One family of refresh tokens, and the access tokens made from it, counts no more."""

    user_id: UUID
    family: UUID
    expires_at: datetime
    """When the family's last access token is over; nothing need be remembered after that."""


class SessionsRevoked(Event, frozen=True, kw_only=True, tag="sessions-revoked.v1"):
    """All tokens of a user that carry an older epoch count no more."""

    user_id: UUID
    epoch: int


class StaffGranted(Event, frozen=True, kw_only=True, tag="staff-granted.v1"):
    """A user became one of the staff."""

    user_id: UUID


class StaffRevoked(Event, frozen=True, kw_only=True, tag="staff-revoked.v1"):
    """A user is one of the staff no more."""

    user_id: UUID


class UserErased(Event, frozen=True, kw_only=True, tag="user-erased.v1"):
    """A user is to be forgotten, and the key of what they wrote destroyed.

    What belongs to them goes; how they rated stays as statistics, under an id that leads to nobody.
    May come again, for what was recorded just after it.
    """

    user_id: UUID
    playlists: tuple[str, ...] = ()
    """The ids of those they had, so that a projector needs no look-up."""


AccountEvent: TypeAlias = (
    UserRegistered
    | UserErased
    | PreferencesChanged
    | SessionRevoked
    | SessionsRevoked
    | EmailVerified
    | StaffGranted
    | StaffRevoked
)
