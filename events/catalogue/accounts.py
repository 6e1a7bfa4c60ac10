"""Events of accounts, sessions, preferences and staff.

Personal fields are encrypted (events/vault): the log never holds them in plain text.
"""

from datetime import datetime
from typing import Annotated, NewType, TypeAlias
from uuid import UUID

from msgspec import Meta

from events.event import Event

EncryptedField = NewType("EncryptedField", str)
"""Base64 of a personal field, encrypted by events.vault.encryption with the subject's key."""


class UserRegistered(Event, frozen=True, kw_only=True, tag="user-registered.v1"):
    """A user opened an account."""

    user_id: UUID
    username: EncryptedField
    email: EncryptedField


class EmailVerified(Event, frozen=True, kw_only=True, tag="email-verified.v1"):
    """A user proved that they read the mail of the account's address."""

    user_id: UUID


class PreferencesChanged(Event, frozen=True, kw_only=True, tag="preferences-changed.v1"):
    """A user changed their preferences; the event carries all of them."""

    user_id: UUID
    genres: tuple[str, ...] = ()
    public_activity: bool = False
    strategy: str | None = None


class SessionRevoked(Event, frozen=True, kw_only=True, tag="session-revoked.v1"):
    """A family of refresh tokens, and the access tokens made from it, were revoked."""

    user_id: UUID
    family: UUID
    expires_at: Annotated[
        datetime,
        Meta(description="When the family's last access token expires and this can be forgotten."),
    ]


class SessionsRevoked(Event, frozen=True, kw_only=True, tag="sessions-revoked.v1"):
    """All tokens of a user with an older epoch were revoked."""

    user_id: UUID
    epoch: int


class StaffGranted(Event, frozen=True, kw_only=True, tag="staff-granted.v1"):
    """A user became a member of the staff."""

    user_id: UUID


class StaffRevoked(Event, frozen=True, kw_only=True, tag="staff-revoked.v1"):
    """A user is no longer a member of the staff."""

    user_id: UUID


class UserErased(Event, frozen=True, kw_only=True, tag="user-erased.v1"):
    """A user is erased, and the key of their personal fields is destroyed.

    Their data is deleted; their ratings stay as statistics under an id without a person. May be
    recorded again, for events recorded just after it.
    """

    user_id: UUID
    playlists: Annotated[
        tuple[str, ...],
        Meta(description="The ids of the user's playlists, so that a projector needs no look-up."),
    ] = ()


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
