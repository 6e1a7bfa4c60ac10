"""Two transactions ordered by hand, each with a thread and a connection of its own.

A hand is a thread with a connection of its own that does one thing after the other. Whoever waits
for a lock is seen to wait in PostgreSQL itself, so nothing here hangs on how fast the machine is.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic, sleep
from typing import TypeVar

from django.db import connections, transaction

PATIENCE_SECONDS = 60

Answer = TypeVar("Answer")


class Hand:
    """Somebody who does things in a transaction, one after the other."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._process = self.start(_begin).result(timeout=PATIENCE_SECONDS)
        self._last: Future[object] | None = None

    def start(self, work: Callable[[], Answer]) -> "Future[Answer]":
        """Do it when all before it is done; what comes of it is in the future."""
        begun = self._thread.submit(work)
        self._last = begun  # type: ignore[assignment]  # a Future gives, it never takes
        return begun

    def do(self, work: Callable[[], Answer]) -> Answer:
        """Do it now."""
        return self.start(work).result(timeout=PATIENCE_SECONDS)

    def commit(self) -> "Future[None]":
        """What was done so far counts."""
        return self.start(transaction.commit)

    def roll_back(self) -> "Future[None]":
        """What was done so far never was."""
        return self.start(transaction.rollback)

    def settle(self) -> bool:
        """Wait until all is done, or cannot go on because of another; whether it is done."""
        if self._last is None:
            return True
        end = monotonic() + PATIENCE_SECONDS
        while not self._last.done():
            if self._is_waiting():
                return False
            assert monotonic() < end, "neither done nor waiting for a lock"
            sleep(0.001)
        self._last.result()  # raises what it raised
        return True

    def _is_waiting(self) -> bool:
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted", [self._process]
            )
            [(waiting,)] = cursor.fetchall()
        return bool(waiting)

    def leave(self) -> None:
        """Roll back what is open, and go."""
        self._thread.submit(connections.close_all)
        self._thread.shutdown()


def _begin() -> int:
    connection = connections["default"]
    connection.ensure_connection()
    connection.set_autocommit(False)
    return int(connection.connection.get_backend_pid())


@contextmanager
def hands(count: int) -> Iterator[list[Hand]]:
    """So many, each with a transaction."""
    found = [Hand(f"hand-{nth}") for nth in range(count)]
    try:
        yield found
    finally:
        for hand in found:
            hand.leave()
