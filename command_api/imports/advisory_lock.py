"""How do two imports into one log not meet?"""

from collections.abc import Iterator
from contextlib import contextmanager

from infra.advisory_lock import session_lock

_LOCK = 0x4D_41_52_51  # any number that nobody else locks
_PATIENCE_SECONDS = 2.0
"""The sync takes its turns for some tenths of a second each."""


class Busy(Exception):
    """Another import is running."""


@contextmanager
def turn(patience_seconds: float = _PATIENCE_SECONDS) -> Iterator[None]:
    """Be the only import for a while; raises Busy. The lock ends with the connection, too."""
    with session_lock(_LOCK, wait_seconds=patience_seconds) as is_held:
        if not is_held:
            raise Busy("Another import is running on this log: wait for it, then run again.")
        yield
