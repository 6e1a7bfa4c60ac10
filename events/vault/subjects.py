"""What does the vault know of a person?

A row is reserved before the person's first event, and active after it. A reservation that was left
behind is settled by who can see the log (``command_api.accounts.reservations``).
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from events.catalogue.accounts import Sealed
from events.vault.models import Subject
from events.vault.names import email_digest, username_digest
from events.vault.sealing import new_key, unseal
from infra.keys import PEPPER, secret

ORPHANED_AFTER = timedelta(minutes=1)
"""A registration is over long before, however it ended (its statements time out)."""

_State = Subject.State


class NamesTaken(Exception):
    """Someone has the username or the e-mail address already; ``fields`` says which."""

    def __init__(self, fields: Sequence[str]) -> None:
        super().__init__(", ".join(fields))
        self.fields = fields


class KeyMissing(Exception):
    """The vault does not know this person, or not yet: ask again later."""


class Credentials(NamedTuple):
    """What a log-in is compared with."""

    user_id: UUID
    password_hash: str
    epoch: int
    is_active: bool


def reserve(user_id: UUID, *, username: str, email: str, password_hash: str) -> bytes:
    """Take the names and make the person's key; raises NamesTaken."""
    key = new_key()
    try:
        with transaction.atomic(using="vault"):
            Subject.objects.create(
                user_id=user_id,
                state=_State.RESERVED,
                reserved_at=Now(),
                username_hmac=username_digest(_pepper(), username),
                email_hmac=email_digest(_pepper(), email),
                key=key,
                password_hash=password_hash,
            )
    except IntegrityError as error:
        raise NamesTaken(_taken(username, email)) from error
    return key


def activate(user_id: UUID) -> None:
    """The person's first event is in the log."""
    there = Subject.objects.filter(user_id=user_id).update(state=_State.ACTIVE)
    if not there:
        raise KeyMissing(str(user_id))


def release(user_id: UUID) -> None:
    """Give up a reservation and its names."""
    Subject.objects.filter(user_id=user_id, state=_State.RESERVED).delete()


def orphans(*, username: str | None = None, email: str | None = None) -> Sequence[UUID]:
    """Reservations that nobody is working on any more; of these names, if any are given."""
    old = Subject.objects.filter(state=_State.RESERVED, reserved_at__lt=Now() - ORPHANED_AFTER)
    if username is not None and email is not None:
        old = old.filter(_of(username, email))
    return list(old.values_list("user_id", flat=True))


def find(login: str) -> Credentials | None:
    """Who logs in so: with a username or an e-mail address. Only an address has an @."""
    of_login = (
        Q(email_hmac=email_digest(_pepper(), login))
        if "@" in login
        else Q(username_hmac=username_digest(_pepper(), login))
    )
    row = Subject.objects.filter(of_login).first()
    if row is None or row.password_hash is None:
        return None
    return Credentials(row.user_id, row.password_hash, row.epoch, row.state == _State.ACTIVE)


def scope_of(email: str) -> str:
    """The address as others may keep it: always the same, and not readable."""
    return email_digest(_pepper(), email).hex()


def raise_epoch(user_id: UUID, epoch: int) -> None:
    """All access tokens of an older epoch count no more."""
    Subject.objects.filter(user_id=user_id, epoch__lt=epoch).update(epoch=epoch)


def key_of(user_id: UUID) -> bytes | None:
    """The key of the person's sealed fields; None when it was destroyed; raises KeyMissing."""
    row = Subject.objects.filter(user_id=user_id).values_list("key", flat=True)[:1]
    for key in row:
        return None if key is None else bytes(key)
    raise KeyMissing(str(user_id))


def keys_of(user_ids: Collection[UUID]) -> dict[UUID, bytes | None]:
    """The same for many people at once; whoever the vault does not know is left out."""
    rows = Subject.objects.filter(user_id__in=user_ids).values_list("user_id", "key")
    return {user_id: None if key is None else bytes(key) for user_id, key in rows}


def reveal(sealed: Sealed, *, subject: UUID, field: str) -> str | None:
    """The text of a sealed field; None when the person was erased; raises KeyMissing, BadSeal."""
    key = key_of(subject)
    return None if key is None else unseal(key, sealed, subject=subject, field=field)


def _taken(username: str, email: str) -> Sequence[str]:
    names = {
        "username": Q(username_hmac=username_digest(_pepper(), username)),
        "email": Q(email_hmac=email_digest(_pepper(), email)),
    }
    return [field for field, same in names.items() if Subject.objects.filter(same).exists()]


def _of(username: str, email: str) -> Q:
    return Q(username_hmac=username_digest(_pepper(), username)) | Q(
        email_hmac=email_digest(_pepper(), email)
    )


def _pepper() -> bytes:
    return secret(PEPPER)
