"""A user's name and e-mail address, decrypted from the registration event with the vault's key."""

from typing import NamedTuple
from uuid import UUID

from command_api import event_store
from command_api.accounts.decider import stream_of
from events.catalogue import UserRegistered
from events.vault import subjects
from events.vault.encryption import decrypt_field


class PersonalNames(NamedTuple):
    """The username and address given at registration."""

    username: str
    email: str


def names_of(user_id: UUID) -> PersonalNames | None:
    """Return a user's names; None if the user is unknown or erased."""
    events = (recorded.event for recorded in event_store.store().read(stream_of(user_id)))
    registered = next((event for event in events if isinstance(event, UserRegistered)), None)
    if registered is None or (key := subjects.key_of(user_id)) is None:
        return None
    return PersonalNames(
        username=decrypt_field(key, registered.username, subject=user_id, field="username"),
        email=decrypt_field(key, registered.email, subject=user_id, field="email"),
    )
