"""Look-up of a user by username, e-mail address or id, for management commands."""

from uuid import UUID

from django.core.management.base import CommandError

from command_api import event_store
from command_api.accounts.decider import stream_of
from events.vault import subjects


def find(name: str) -> UUID:
    """The user's id; raises CommandError when no user is registered by that name."""
    try:
        user_id: UUID | None = UUID(name)  # no username is as long
    except ValueError:
        subject = subjects.find(name)
        user_id = subject and subject.user_id
    if user_id is None or not event_store.store().versions([stream_of(user_id)]):
        raise CommandError(
            f"No user is registered as {name}. Give a username, an e-mail address or an id."
        )
    return user_id
