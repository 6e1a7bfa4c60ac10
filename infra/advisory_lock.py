"""PostgreSQL advisory locks, of a session or of a transaction.

A key is one number, or two parts of which each is a number or a text that PostgreSQL hashes. Keys
are the database's own: another database has other locks.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any, TypeAlias

from django.db import connections

LockKey: TypeAlias = int | tuple[int | str, int | str]

_RETRY_SECONDS = 0.05


@contextmanager
def session_lock(
    key: LockKey, *, wait_seconds: float = 0.0, alias: str = "default"
) -> Iterator[bool]:
    """Hold a lock during the block, if it is free in time; yields whether it is held.

    Should the connection be lost, PostgreSQL releases it, too.
    """
    until = monotonic() + wait_seconds
    while not (is_held := _try(key, alias)) and monotonic() < until:
        sleep(_RETRY_SECONDS)
    try:
        yield is_held
    finally:
        if is_held:
            with connections[alias].cursor() as cursor:
                _call(cursor, "pg_advisory_unlock", key)


def try_session_lock(cursor: Any, key: LockKey) -> bool:
    """Take a lock that lasts until the cursor's connection ends; False if another holds it."""
    return bool(_call(cursor, "pg_try_advisory_lock", key))


def transaction_lock(cursor: Any, key: LockKey) -> None:
    """Wait for a lock and hold it until the transaction ends."""
    _call(cursor, "pg_advisory_xact_lock", key)


def try_transaction_lock(cursor: Any, key: LockKey) -> bool:
    """Take a lock until the transaction ends; False if another holds it."""
    return bool(_call(cursor, "pg_try_advisory_xact_lock", key))


def _try(key: LockKey, alias: str) -> bool:
    with connections[alias].cursor() as cursor:
        return try_session_lock(cursor, key)


def _call(cursor: Any, function: str, key: LockKey) -> object:
    parts = key if isinstance(key, tuple) else (key,)
    arguments = ", ".join("hashtext(%s)" if isinstance(part, str) else "%s" for part in parts)
    cursor.execute(f"SELECT {function}({arguments})", parts)
    return cursor.fetchone()[0]
