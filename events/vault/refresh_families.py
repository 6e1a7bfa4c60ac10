"""Log-ins: families of rotated refresh tokens, each with one current token."""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

from django.db import connections
from django.db.models import Q
from django.db.models.functions import Now

from events.vault.models import Family

# Raw SQL: every command waits for it, and the ORM takes longer to build it than PostgreSQL to
# answer.
_STATUS = """
SELECT user_id, epoch, revoked_at IS NOT NULL
  FROM families JOIN subjects USING (user_id)
 WHERE family = %s AND state = 'active'
"""

_CREATE = """
INSERT INTO families (family, user_id, current_jti, expires_at)
SELECT %s, user_id, %s, now() + make_interval(secs => %s)
  FROM subjects
 WHERE user_id = %s AND password_hash = %s
   FOR SHARE
"""


class RefreshTokenId(NamedTuple):
    """The log-in a refresh token belongs to, and the token's own id."""

    family: UUID
    jti: UUID


class LoginStatus(NamedTuple):
    """Whether the tokens of a log-in are valid."""

    user_id: UUID
    epoch: int
    is_revoked: bool


def create(user_id: UUID, *, password_hash: str, life: timedelta) -> RefreshTokenId | None:
    """Create a log-in; None if the password has changed meanwhile.

    A password change ends all log-ins in one transaction. This waits for it, so that no log-in with
    the old password survives.
    """
    refresh = RefreshTokenId(uuid4(), uuid4())
    with connections["vault"].cursor() as cursor:
        seconds = life.total_seconds()
        cursor.execute(_CREATE, [refresh.family, refresh.jti, seconds, user_id, password_hash])
        created = cursor.rowcount
    return refresh if created else None


def rotate(refresh: RefreshTokenId) -> RefreshTokenId | None:
    """Replace the current token; None if this is not the current one, or the log-in has ended."""
    following = RefreshTokenId(refresh.family, uuid4())
    rotated = Family.objects.filter(
        family=refresh.family,
        current_jti=refresh.jti,
        revoked_at=None,
        expires_at__gt=Now(),
    ).update(current_jti=following.jti)
    return following if rotated else None


def revoke(family: UUID) -> None:
    """End a log-in."""
    Family.objects.filter(family=family, revoked_at=None).update(revoked_at=Now())


def revoke_all(user_id: UUID) -> None:
    """End all log-ins of a person."""
    Family.objects.filter(user_id=user_id, revoked_at=None).update(revoked_at=Now())


def login_status(family: UUID) -> LoginStatus | None:
    """The status of a log-in; None if there is none (any more)."""
    with connections["vault"].cursor() as cursor:
        cursor.execute(_STATUS, [family])
        row = cursor.fetchone()
    return None if row is None else LoginStatus(*row)


def delete_ended(*, after: timedelta) -> int:
    """Delete log-ins that ended longer than ``after`` ago; returns how many."""
    ended = Q(expires_at__lt=Now() - after) | Q(revoked_at__lt=Now() - after)
    count, _ = Family.objects.filter(ended).delete()
    return count
