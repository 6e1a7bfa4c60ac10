"""How is a command that is sent twice done once?

Its key is inserted first in the transaction that does it. A duplicate that arrives meanwhile waits
on the unique index: for the answer, if the first one succeeds; for its own turn, if it does not.
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
"""Stands in the answer to a command that was done before."""
LONGEST = 255

# A row that is too old counts as not there. Otherwise the insert waits for whoever holds the key.
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
# A registration's answer is kept for an address, and names the person it was for.
_FORGET = """
DELETE FROM answered_commands WHERE scope = %(scope)s OR position(%(person)s IN body) > 0
"""
_KEEP = """
UPDATE answered_commands
   SET status = %(status)s, body = %(body)s, position = %(position)s, etag = %(etag)s
 WHERE scope = %(scope)s AND key = %(key)s
"""


class Reply(NamedTuple):
    """What goes over the wire, and is the same when the command is sent again."""

    status: int
    body: bytes
    position: str
    etag: str = ""
    is_replayed: bool = False
    """Whether the command was done before: the one thing that differs then."""


class IdempotentCommand(NamedTuple):
    """One command, as its sender names it."""

    scope: str
    key: str
    fingerprint: bytes

    def run(self, command: Callable[[], Reply]) -> Reply:
        """Do the command, or answer as when it was done; only what succeeds is remembered."""
        with transaction.atomic():
            if not self._rows(_CLAIM, life=timedelta(hours=config().idempotency_hours)):
                return self._again()
            reply = command()
            self._execute(_KEEP, **reply._asdict())
            return reply

    def _again(self) -> Reply:
        [(fingerprint, status, body, position, etag)] = self._rows(_FIND)
        if not hmac.compare_digest(bytes(fingerprint), self.fingerprint):
            reason = "This key was used for another command."
            raise Invalid("The command can't be taken.", errors=[(HEADER, reason)])
        return Reply(status, bytes(body), position, etag, is_replayed=True)

    def _execute(self, sql: str, **more: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, self._asdict() | more)

    def _rows(self, sql: str, **more: Any) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, self._asdict() | more)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows


def idempotent(scope: str, key: str, *, method: str, path: str, body: bytes) -> IdempotentCommand:
    """The command that a key stands for; raises Invalid for what is no key."""
    if not 0 < len(key) <= LONGEST:
        reason = f"A key has 1 to {LONGEST} characters."
        raise Invalid("The command can't be taken.", errors=[(HEADER, reason)])
    # A digest with a secret: the body may hold a password, and digests of guesses must not help.
    told = b"\0".join((method.encode(), path.encode(), body))
    return IdempotentCommand(scope, key, hmac.digest(secret(IDEMPOTENCY), told, "sha256"))


def forget_user(user_id: UUID) -> None:
    """Drop the answers to what somebody sent, and to their registration."""
    person = str(user_id).encode()
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"scope": scope_of(user_id), "person": person})


def scope_of(user_id: UUID) -> str:
    """Within what the keys of somebody are unique."""
    return f"user:{user_id}"


def delete_expired() -> int:
    """Drop the answers that need be kept no longer; how many."""
    old = Now() - timedelta(hours=config().idempotency_hours)
    count, _ = AnsweredCommand.objects.filter(made_at__lt=old).delete()
    return count
