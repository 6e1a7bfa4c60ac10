"""PostgreSQL advisory locks, of a session or of a transaction.

A key is a number or a pair; PostgreSQL hashes the texts of a pair. Each database has its own locks.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any, TypeAlias

from django.db import connection

LockKey: TypeAlias = int | tuple[int | str, int | str]

_RETRY_SECONDS = 0.05


@contextmanager
def session_lock(key: LockKey, *, wait_seconds: float = 0.0) -> Iterator[bool]:
    """Try to hold a lock during the block; yields whether it is held.

    Waits at most ``wait_seconds`` for it. PostgreSQL also releases it if the connection is lost.
    """
    until = monotonic() + wait_seconds
    with connection.cursor() as cursor:
        while not (is_held := try_session_lock(cursor, key)) and monotonic() < until:
            sleep(_RETRY_SECONDS)
    try:
        yield is_held
    finally:
        if is_held:
            with connection.cursor() as cursor:
                _select(cursor, "pg_advisory_unlock", key)


def try_session_lock(cursor: Any, key: LockKey) -> bool:
    """Take a lock that lasts until the cursor's connection ends; False if another holds it."""
    return bool(_select(cursor, "pg_try_advisory_lock", key))


def transaction_lock(cursor: Any, key: LockKey) -> None:
    """Wait for a lock and hold it until the transaction ends."""
    _select(cursor, "pg_advisory_xact_lock", key)


def try_transaction_lock(cursor: Any, key: LockKey) -> bool:
    """Take a lock until the transaction ends; False if another holds it."""
    return bool(_select(cursor, "pg_try_advisory_xact_lock", key))


def _select(cursor: Any, function: str, key: LockKey) -> object:
    parts = key if isinstance(key, tuple) else (key,)
    arguments = ", ".join("hashtext(%s)" if isinstance(part, str) else "%s" for part in parts)
    cursor.execute(f"SELECT {function}({arguments})", parts)
    return cursor.fetchone()[0]
