"""Subjects: a person's names, password and encryption key.

A row is reserved before the person's first event, and active after it. Orphaned reservations are
completed or released by ``command_api.accounts.reservation_cleanup``.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import connections
from django.db.models import Q
from django.db.models.functions import Now

from events.catalogue.accounts import EncryptedField
from events.vault.encryption import decrypt_field, new_key
from events.vault.models import Subject
from events.vault.name_skeletons import email_digest, email_digests, username_digest
from infra.security.keys import PEPPER, secret

ORPHANED_AFTER = timedelta(minutes=1)
"""Longer than any registration, unless its process is suspended."""

_State = Subject.State

# A taken name must not make the statement fail: PostgreSQL would log it.
_RESERVE = """
INSERT INTO subjects
       (user_id, state, reserved_at, username_hmac, email_hmac, key, password_hash, epoch)
VALUES (%s, 'reserved', statement_timestamp(), %s, %s, %s, %s, 0)
    ON CONFLICT DO NOTHING
"""


class NamesTaken(Exception):
    """The username or the e-mail address is taken; ``fields`` tells which."""

    def __init__(self, fields: Sequence[str]) -> None:
        super().__init__(", ".join(fields))
        self.fields = fields


class KeyMissing(Exception):
    """The vault has no such person, or not yet: retry later."""


class Reservation(NamedTuple):
    """Names reserved by a registration, and since when."""

    user_id: UUID
    since: datetime


class Credentials(NamedTuple):
    """What a log-in is checked against, and the epoch of its tokens."""

    user_id: UUID
    password_hash: str
    epoch: int
    is_active: bool


def reserve(user_id: UUID, *, username: str, email: str, password_hash: str) -> bytes:
    """Reserve the names and make the person's key; raises NamesTaken."""
    if _is_older_email(email):
        raise NamesTaken(["email"])
    key = new_key()
    digests = username_digest(_pepper(), username), email_digest(_pepper(), email)
    with connections["vault"].cursor() as cursor:
        cursor.execute(_RESERVE, [user_id, *digests, key, password_hash])
        if cursor.rowcount:
            return key
    names = _same_names(username, email).items()
    raise NamesTaken([field for field, same in names if Subject.objects.filter(same).exists()])


def renew(user_id: UUID) -> bool:
    """Restart a reservation's time; False if it was released."""
    reserved = Subject.objects.filter(user_id=user_id, state=_State.RESERVED)
    return bool(reserved.update(reserved_at=Now()))


def activate(user_id: UUID) -> None:
    """Complete a reservation; an erased person stays erased. Raises KeyMissing."""
    rows = Subject.objects.filter(user_id=user_id)
    if not rows.filter(state=_State.RESERVED).update(state=_State.ACTIVE) and not rows.exists():
        raise KeyMissing(str(user_id))


def release(reservation: Reservation) -> None:
    """Release a reservation and its names, unless it was renewed since."""
    Subject.objects.filter(
        user_id=reservation.user_id, state=_State.RESERVED, reserved_at=reservation.since
    ).delete()


def orphans(*, username: str | None = None, email: str | None = None) -> Sequence[Reservation]:
    """Reservations whose registration stopped half-way; of one pair of names, if given."""
    old = Subject.objects.filter(state=_State.RESERVED, reserved_at__lt=Now() - ORPHANED_AFTER)
    if username is not None and email is not None:
        same = _same_names(username, email)
        old = old.filter(same["username"] | same["email"])
    return [Reservation(*row) for row in old.values_list("user_id", "reserved_at")]


def find(login: str) -> Credentials | None:
    """The credentials of a username or an e-mail address; only an address has an @."""
    if "@" not in login:
        return _credentials(Subject.objects.filter(username_hmac=login_digest(login)).first())
    rows = {bytes(row.email_hmac or b""): row for row in Subject.objects.filter(_same_email(login))}
    found = [rows[each] for each in email_digests(_pepper(), login) if each in rows]
    if len(found) == 1 and login_digest(login) not in rows:
        _update_email(found[0], login)
    return _credentials(found[0] if found else None)


def credentials_of(user_id: UUID) -> Credentials | None:
    """The credentials of a user."""
    return _credentials(Subject.objects.filter(user_id=user_id).first())


def replace_password(user_id: UUID, *, was: str, now: str) -> bool:
    """Replace a password hash; False if ``was`` is not the current one."""
    rows = Subject.objects.filter(user_id=user_id, password_hash=was)
    return bool(rows.update(password_hash=now))


def login_digest(login: str) -> bytes:
    """A digest of a username or an e-mail address as entered, whether an account has it or not."""
    digest = email_digest if "@" in login else username_digest
    return digest(_pepper(), login)


def login_digests_of(user_id: UUID) -> Sequence[bytes]:
    """The digests of a user's names; none once they are erased."""
    row = Subject.objects.filter(user_id=user_id).values_list("username_hmac", "email_hmac").first()
    return [bytes(digest) for digest in row or () if digest is not None]


def email_scope(email: str) -> str:
    """A stable digest of an address: the scope of keys of requests without an account."""
    return email_digest(_pepper(), email).hex()


def raise_epoch(user_id: UUID, epoch: int) -> None:
    """Invalidate all access tokens of an older epoch."""
    Subject.objects.filter(user_id=user_id, epoch__lt=epoch).update(epoch=epoch)


def key_of(user_id: UUID) -> bytes | None:
    """The key of the person's fields; None if it was destroyed. Raises KeyMissing."""
    keys = keys_of([user_id])
    if user_id not in keys:
        raise KeyMissing(str(user_id))
    return keys[user_id]


def keys_of(user_ids: Collection[UUID]) -> dict[UUID, bytes | None]:
    """The keys of many people; those without a row are left out."""
    rows = Subject.objects.filter(user_id__in=user_ids).values_list("user_id", "key")
    return {user_id: None if key is None else bytes(key) for user_id, key in rows}


def decrypt(encrypted: EncryptedField, *, subject: UUID, field: str) -> str | None:
    """Decrypt a field; None if the person was erased. Raises KeyMissing, DecryptionError."""
    key = key_of(subject)
    return None if key is None else decrypt_field(key, encrypted, subject=subject, field=field)


def _credentials(row: Subject | None) -> Credentials | None:
    if row is None or row.password_hash is None:
        return None
    return Credentials(row.user_id, row.password_hash, row.epoch, row.state == _State.ACTIVE)


def _same_names(username: str, email: str) -> dict[str, Q]:
    """The condition on each name, by field."""
    return {
        "username": Q(username_hmac=username_digest(_pepper(), username)),
        "email": _same_email(email),
    }


def _same_email(email: str) -> Q:
    return Q(email_hmac__in=email_digests(_pepper(), email))


def _is_older_email(email: str) -> bool:
    """Whether a row of an earlier release has another digest of the address."""
    older = {*email_digests(_pepper(), email)} - {email_digest(_pepper(), email)}
    return bool(older) and Subject.objects.filter(email_hmac__in=older).exists()


def _update_email(row: Subject, email: str) -> None:
    """Give a row of an earlier release today's digest of its address."""
    rows = Subject.objects.filter(user_id=row.user_id, email_hmac=row.email_hmac)
    rows.update(email_hmac=email_digest(_pepper(), email))


def _pepper() -> bytes:
    return secret(PEPPER)
