"""How do two imports into one log not meet?"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

_LOCK = 0x4D_41_52_51  # any number that nobody else locks


class Busy(Exception):
    """Another import is running."""


@contextmanager
def turn() -> Iterator[None]:
    """Be the only import for a while; raises Busy. The lock ends with the connection, too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        [(taken,)] = cursor.fetchall()
    if not taken:
        raise Busy("Another import is running on this log: wait for it, then run again.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
