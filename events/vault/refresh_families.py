"""Which log-ins are there, and which refresh token of each is current?"""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

from django.db import connections
from django.db.models import Q
from django.db.models.functions import Now

from events.vault.models import Family

# By hand: commands wait for it, and the ORM takes longer to write it than PostgreSQL to answer.
_STANDING = """
SELECT user_id, epoch, revoked_at IS NOT NULL
  FROM families JOIN subjects USING (user_id)
 WHERE family = %s AND state = 'active'
"""

_BEGIN = """
INSERT INTO families (family, user_id, current_jti, expires_at)
SELECT %s, user_id, %s, now() + make_interval(secs => %s)
  FROM subjects
 WHERE user_id = %s AND password_hash = %s
   FOR SHARE
"""


class RefreshTokenId(NamedTuple):
    """One refresh token: which log-in it continues, and which of its tokens it is."""

    family: UUID
    jti: UUID


class LoginStatus(NamedTuple):
    """What the tokens of a log-in are worth now."""

    user_id: UUID
    epoch: int
    is_revoked: bool


def create(user_id: UUID, *, password_hash: str, life: timedelta) -> RefreshTokenId | None:
    """A new log-in; None when the password it was begun with is another one by now.

    Who changes a password ends all log-ins in the same transaction. This waits for it, so that no
    log-in with the old password comes out of it alive.
    """
    refresh = RefreshTokenId(uuid4(), uuid4())
    with connections["vault"].cursor() as cursor:
        seconds = life.total_seconds()
        cursor.execute(_BEGIN, [refresh.family, refresh.jti, seconds, user_id, password_hash])
        begun = cursor.rowcount
    return refresh if begun else None


def rotate(refresh: RefreshTokenId) -> RefreshTokenId | None:
    """The next token of the log-in; None when this is not its current one, or it is over."""
    following = RefreshTokenId(refresh.family, uuid4())
    turned = Family.objects.filter(
        family=refresh.family,
        current_jti=refresh.jti,
        revoked_at=None,
        expires_at__gt=Now(),
    ).update(current_jti=following.jti)
    return following if turned else None


def revoke(family: UUID) -> None:
    """End a log-in."""
    Family.objects.filter(family=family, revoked_at=None).update(revoked_at=Now())


def revoke_all(user_id: UUID) -> None:
    """End all log-ins of a person."""
    Family.objects.filter(user_id=user_id, revoked_at=None).update(revoked_at=Now())


def login_status(family: UUID) -> LoginStatus | None:
    """What the log-in is worth; None for one that is not there (any more)."""
    with connections["vault"].cursor() as cursor:
        cursor.execute(_STANDING, [family])
        row = cursor.fetchone()
    return None if row is None else LoginStatus(*row)


def delete_ended(*, after: timedelta) -> int:
    """Drop the log-ins that ended so long ago that no access token of theirs lives; how many."""
    ended = Q(expires_at__lt=Now() - after) | Q(revoked_at__lt=Now() - after)
    count, _ = Family.objects.filter(ended).delete()
    return count
