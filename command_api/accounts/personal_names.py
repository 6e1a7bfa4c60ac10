"""By which name and address does a person want to be known?

Both are sealed in the event that says who registered; only the vault's key of that person opens it.
"""

from typing import NamedTuple
from uuid import UUID

from command_api import event_store
from command_api.accounts.decider import stream_of
from events.catalogue import UserRegistered
from events.vault import subjects
from events.vault.encryption import decrypt_field


class PersonalNames(NamedTuple):
    """What a person told when they registered."""

    username: str
    email: str


def names_of(user_id: UUID) -> PersonalNames | None:
    """A person's names; None for who is not there (any more)."""
    registered = _registered(user_id)
    if registered is None or (key := subjects.key_of(user_id)) is None:
        return None
    return PersonalNames(
        username=decrypt_field(key, registered.username, subject=user_id, field="username"),
        email=decrypt_field(key, registered.email, subject=user_id, field="email"),
    )


def _registered(user_id: UUID) -> UserRegistered | None:
    said = (recorded.event for recorded in event_store.store().read(stream_of(user_id)))
    return next((event for event in said if isinstance(event, UserRegistered)), None)
