"""What does the vault know of a person?

A row is reserved before the person's first event, and active after it. A reservation that was left
behind is settled by who can see the log (``command_api.accounts.reservation_cleanup``).
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from events.catalogue.accounts import EncryptedField
from events.vault.encryption import decrypt_field, new_key
from events.vault.models import Subject
from events.vault.name_skeletons import email_digest, username_digest
from infra.security.keys import PEPPER, secret

ORPHANED_AFTER = timedelta(minutes=1)
"""A registration is over long before, unless its process stands still."""

_State = Subject.State


class NamesTaken(Exception):
    """Someone has the username or the e-mail address already; ``fields`` says which."""

    def __init__(self, fields: Sequence[str]) -> None:
        super().__init__(", ".join(fields))
        self.fields = fields


class KeyMissing(Exception):
    """The vault does not know this person, or not yet: ask again later."""


class Reservation(NamedTuple):
    """Names that are taken for somebody who may never come; since when."""

    user_id: UUID
    since: datetime


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


def renew(user_id: UUID) -> bool:
    """Begin a reservation's time anew; False when it was given up."""
    reserved = Subject.objects.filter(user_id=user_id, state=_State.RESERVED)
    return bool(reserved.update(reserved_at=Now()))


def activate(user_id: UUID) -> None:
    """The person's first event is in the log; an erased one stays so. Raises KeyMissing."""
    theirs = Subject.objects.filter(user_id=user_id)
    if not theirs.filter(state=_State.RESERVED).update(state=_State.ACTIVE) and not theirs.exists():
        raise KeyMissing(str(user_id))


def release(reservation: Reservation) -> None:
    """Give up a reservation and its names, unless it was renewed since."""
    Subject.objects.filter(
        user_id=reservation.user_id, state=_State.RESERVED, reserved_at=reservation.since
    ).delete()


def orphans(*, username: str | None = None, email: str | None = None) -> Sequence[Reservation]:
    """Reservations that are too old to be worked on; of these names, if any are given."""
    old = Subject.objects.filter(state=_State.RESERVED, reserved_at__lt=Now() - ORPHANED_AFTER)
    if username is not None and email is not None:
        old = old.filter(_of(username, email))
    return [Reservation(*row) for row in old.values_list("user_id", "reserved_at")]


def find(login: str) -> Credentials | None:
    """Who logs in so: with a username or an e-mail address. Only an address has an @."""
    of_login = (
        Q(email_hmac=email_digest(_pepper(), login))
        if "@" in login
        else Q(username_hmac=username_digest(_pepper(), login))
    )
    return _credentials(Subject.objects.filter(of_login).first())


def credentials_of(user_id: UUID) -> Credentials | None:
    """The same of somebody who is known by their id."""
    return _credentials(Subject.objects.filter(user_id=user_id).first())


def replace_password(user_id: UUID, *, was: str, now: str) -> bool:
    """Keep another password's digest in place of this one; False when this one is kept no more."""
    kept = Subject.objects.filter(user_id=user_id, password_hash=was)
    return bool(kept.update(password_hash=now))


def login_digest(login: str) -> bytes:
    """What was typed at a log-in as others may keep it: not readable, whoever has such a name."""
    digest = email_digest if "@" in login else username_digest
    return digest(_pepper(), login)


def login_digests_of(user_id: UUID) -> Sequence[bytes]:
    """The same of all that somebody logs in with; none once they are erased."""
    row = Subject.objects.filter(user_id=user_id).values_list("username_hmac", "email_hmac").first()
    return [bytes(digest) for digest in row or () if digest is not None]


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


def decrypt(sealed: EncryptedField, *, subject: UUID, field: str) -> str | None:
    """Decrypt a field; None when the person was erased. Raises KeyMissing, DecryptionError."""
    key = key_of(subject)
    return None if key is None else decrypt_field(key, sealed, subject=subject, field=field)


def _credentials(row: Subject | None) -> Credentials | None:
    if row is None or row.password_hash is None:
        return None
    return Credentials(row.user_id, row.password_hash, row.epoch, row.state == _State.ACTIVE)


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
