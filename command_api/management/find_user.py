"""Who is meant by a username, an e-mail address or an id?"""

from uuid import UUID

from django.core.management.base import CommandError

from command_api import event_store
from command_api.accounts.decider import stream_of
from events.vault import subjects


def find(name: str) -> UUID:
    """Whose it is; raises CommandError."""
    found = _id(name)
    if found is None and (known := subjects.find(name)) is not None:
        found = known.user_id
    if found is None or not event_store.store().versions([stream_of(found)]):
        raise CommandError(f"Nobody is registered as {name}.")
    return found


def _id(name: str) -> UUID | None:
    """The id that it is; a username is shorter."""
    try:
        return UUID(name)
    except ValueError:
        return None
