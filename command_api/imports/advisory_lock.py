"""How do two imports into one log not meet?"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from django.db import connection

_LOCK = 0x4D_41_52_51  # any number that nobody else locks
_PATIENCE_SECONDS = 2.0
"""The sync takes its turns for some tenths of a second each."""
_PAUSE_SECONDS = 0.05


class Busy(Exception):
    """Another import is running."""


@contextmanager
def turn(patience_seconds: float = _PATIENCE_SECONDS) -> Iterator[None]:
    """Be the only import for a while; raises Busy. The lock ends with the connection, too."""
    until = monotonic() + patience_seconds
    while not _take():
        if monotonic() > until:
            raise Busy("Another import is running on this log: wait for it, then run again.")
        sleep(_PAUSE_SECONDS)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _take() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        [(taken,)] = cursor.fetchall()
    return bool(taken)
