"""Idempotency keys: a command that is sent twice is done once.

The key is inserted first in the command's transaction. A duplicate that arrives meanwhile waits on
the unique index. If the first one commits, the duplicate gets its answer; else it is executed.
"""

import hmac
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from command_api.models import AnsweredCommand
from infra.config import config
from infra.errors import Invalid
from infra.security.keys import IDEMPOTENCY, secret

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
"""Header of an answer that was stored by an earlier request."""
LONGEST = 255

# An expired row is overwritten. Otherwise the insert waits for the transaction that holds the key.
_CLAIM = """
INSERT INTO answered_commands (scope, key, fingerprint, made_at, position, etag)
VALUES (%(scope)s, %(key)s, %(fingerprint)s, now(), '', '')
ON CONFLICT (scope, key) DO UPDATE
   SET fingerprint = excluded.fingerprint, made_at = excluded.made_at
 WHERE answered_commands.made_at < now() - %(life)s
RETURNING true
"""
_FIND = """
SELECT fingerprint, status, body, position, etag FROM answered_commands
 WHERE scope = %(scope)s AND key = %(key)s
"""
# A registration's answer has the address as its scope, and the user's id in its body.
_FORGET = """
DELETE FROM answered_commands WHERE scope = %(scope)s OR position(%(person)s IN body) > 0
"""
_RELEASE = "DELETE FROM answered_commands WHERE scope = %(scope)s AND key = %(key)s"
_KEEP = """
UPDATE answered_commands
   SET status = %(status)s, body = %(body)s, position = %(position)s, etag = %(etag)s
 WHERE scope = %(scope)s AND key = %(key)s
"""


class Reply(NamedTuple):
    """An encoded answer, stored for repetitions of the command."""

    status: int
    body: bytes
    position: str
    etag: str = ""
    is_replayed: bool = False
    """Whether it is a stored answer."""
    is_kept: bool = True
    """False for an answer that refuses everything: such a command may be sent again."""


class IdempotentCommand(NamedTuple):
    """A command with its key and a digest of its request."""

    scope: str
    key: str
    fingerprint: bytes

    def run(self, command: Callable[[], Reply]) -> Reply:
        """Execute the command, or return its stored answer. Failures are not stored.

        Nor is an answer that refuses everything.
        """
        with transaction.atomic():
            if not self._execute(_CLAIM, life=timedelta(hours=config().idempotency_hours)):
                return self._stored()
            reply = command()
            if reply.is_kept:
                self._execute(_KEEP, **reply._asdict())
            else:
                self._execute(_RELEASE)
            return reply

    def _stored(self) -> Reply:
        [(fingerprint, status, body, position, etag)] = self._execute(_FIND)
        if not hmac.compare_digest(bytes(fingerprint), self.fingerprint):
            reason = "The key was used for another command. Send a new key."
            raise Invalid("The Idempotency-Key is invalid.", errors=[(HEADER, reason)])
        return Reply(status, bytes(body), position, etag, is_replayed=True)

    def _execute(self, sql: str, **more: Any) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, self._asdict() | more)
            return cursor.fetchall() if cursor.description else []


def idempotent(scope: str, key: str, *, method: str, path: str, body: bytes) -> IdempotentCommand:
    """Bind a key to its request; raises Invalid for a malformed key."""
    if not 0 < len(key) <= LONGEST:
        reason = f"A key has 1 to {LONGEST} characters."
        raise Invalid("The Idempotency-Key is invalid.", errors=[(HEADER, reason)])
    # Keyed: the body may hold a password, which must not be guessable from the stored digest.
    request = b"\0".join((method.encode(), path.encode(), body))
    return IdempotentCommand(scope, key, hmac.digest(secret(IDEMPOTENCY), request, "sha256"))


def forget_user(user_id: UUID) -> None:
    """Delete the answers to a user's commands and to their registration."""
    person = str(user_id).encode()
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"scope": scope_of(user_id), "person": person})


def scope_of(user_id: UUID) -> str:
    return f"user:{user_id}"


def delete_expired() -> int:
    old = Now() - timedelta(hours=config().idempotency_hours)
    count, _ = AnsweredCommand.objects.filter(made_at__lt=old).delete()
    return count
