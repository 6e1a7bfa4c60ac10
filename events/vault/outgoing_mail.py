"""Queue of outgoing mail, and the tokens sent by mail.

A mail is enqueued by the digest of an address, whether or not a user has it: so enqueueing takes
equally long for all addresses, and does not reveal who is registered. Only the
digest of a token is stored. A token is valid once, and a newer one of its purpose replaces it.
"""

from datetime import timedelta
from hashlib import sha256
from secrets import token_urlsafe
from threading import Event
from typing import NamedTuple
from uuid import UUID, uuid4

from django.db import connections
from django.db.models import QuerySet
from django.db.models.functions import Now

from events.vault.models import Letter, MailedToken, Purpose, Subject
from events.vault.name_skeletons import email_digests
from infra.security.keys import PEPPER, secret

TOKEN_BYTES = 32
letter_enqueued = Event()
"""Set in the process that enqueued a letter."""

# The lease is one minute, then two, then four: then the letter was sent, or is tried again.
_LEASE = """
UPDATE letters
   SET due_at = statement_timestamp() + interval '1 minute' * power(2, tries), tries = tries + 1
 WHERE letter = (SELECT letter FROM letters WHERE due_at <= statement_timestamp()
                  ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING letter, purpose, email_hmac, tries
"""
_INSERT = """
INSERT INTO mailed_tokens AS old (token_digest, user_id, purpose, made_at, expires_at)
VALUES (%s, %s, %s, now(), now() + make_interval(secs => %s))
ON CONFLICT (user_id, purpose) DO UPDATE
   SET token_digest = excluded.token_digest,
       made_at = excluded.made_at,
       expires_at = excluded.expires_at
 WHERE old.made_at < now() - make_interval(secs => %s)
"""


class QueuedLetter(NamedTuple):
    """A letter leased for delivery."""

    letter: UUID
    purpose: Purpose
    email_hmac: bytes
    tries: int


def enqueue(purpose: Purpose, *, email: str) -> None:
    """Enqueue a mail to the user of an address; once, however often it is asked for."""
    letters = [
        Letter(letter=uuid4(), purpose=purpose, email_hmac=digest, due_at=Now())
        for digest in email_digests(secret(PEPPER), email)
    ]
    Letter.objects.bulk_create(letters, ignore_conflicts=True)
    letter_enqueued.set()


def lease() -> QueuedLetter | None:
    """Lease the next due letter; it is due again later, unless it was deleted by then."""
    with connections["vault"].cursor() as cursor:
        cursor.execute(_LEASE)
        row = cursor.fetchone()
    return None if row is None else QueuedLetter(row[0], Purpose(row[1]), bytes(row[2]), row[3])


def delete(letter: UUID) -> None:
    """Delete a letter that was sent or given up."""
    Letter.objects.filter(letter=letter).delete()


def recipient(email_hmac: bytes) -> UUID | None:
    """The user of an address, if any."""
    people = Subject.objects.filter(email_hmac=email_hmac, state=Subject.State.ACTIVE)
    return people.values_list("user_id", flat=True).first()


def make_token(user_id: UUID, purpose: Purpose, *, life: timedelta, pause: timedelta) -> str | None:
    """Make a token; None if the last one is younger than ``pause``: its mail is on the way."""
    token = token_urlsafe(TOKEN_BYTES)
    with connections["vault"].cursor() as cursor:
        cursor.execute(
            _INSERT,
            [_digest(token), user_id, purpose, life.total_seconds(), pause.total_seconds()],
        )
        made = cursor.rowcount
    return token if made else None


def token_owner(purpose: Purpose, token: str) -> UUID | None:
    """The user of a valid token."""
    return _valid(purpose, token).values_list("user_id", flat=True).first()


def consume_token(purpose: Purpose, token: str) -> bool:
    """Invalidate a token; False if it was invalid already."""
    deleted, _ = _valid(purpose, token).delete()
    return bool(deleted)


def delete_tokens(user_id: UUID) -> None:
    """Invalidate all tokens of a user."""
    MailedToken.objects.filter(user_id=user_id).delete()


def delete_expired_tokens() -> int:
    """Delete expired tokens; returns how many."""
    count, _ = MailedToken.objects.filter(expires_at__lt=Now()).delete()
    return count


def _valid(purpose: Purpose, token: str) -> QuerySet[MailedToken]:
    return MailedToken.objects.filter(
        token_digest=_digest(token), purpose=purpose, expires_at__gt=Now()
    )


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
