"""Two transactions ordered by hand, each with a thread and a connection of its own.

A hand runs one statement after the other. PostgreSQL reports whether it waits for a lock, so no
test depends on the speed of the machine.
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
    """A thread that works in one transaction, step by step."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._process = self.start(_begin).result(timeout=PATIENCE_SECONDS)
        self._last: Future[object] | None = None

    def start(self, work: Callable[[], Answer]) -> "Future[Answer]":
        """Start a step after the earlier ones; returns its future."""
        future = self._thread.submit(work)
        self._last = future  # type: ignore[assignment]  # a Future gives, it never takes
        return future

    def do(self, work: Callable[[], Answer]) -> Answer:
        """Run a step and return its result."""
        return self.start(work).result(timeout=PATIENCE_SECONDS)

    def commit(self) -> "Future[None]":
        """Commit the steps so far."""
        return self.start(transaction.commit)

    def roll_back(self) -> "Future[None]":
        """Roll back the steps so far."""
        return self.start(transaction.rollback)

    def settle(self) -> bool:
        """Wait until all steps are done or blocked by a lock; True if done."""
        if self._last is None:
            return True
        end = monotonic() + PATIENCE_SECONDS
        while not self._last.done():
            if self._is_waiting():
                return False
            assert monotonic() < end, "neither done nor waiting for a lock"
            sleep(0.001)
        self._last.result()  # raises the step's exception
        return True

    def _is_waiting(self) -> bool:
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted", [self._process]
            )
            [(waiting,)] = cursor.fetchall()
        return bool(waiting)

    def leave(self) -> None:
        """Roll back and end the thread."""
        self._thread.submit(connections.close_all)
        self._thread.shutdown()


def _begin() -> int:
    connection = connections["default"]
    connection.ensure_connection()
    connection.set_autocommit(False)
    return int(connection.connection.get_backend_pid())


@contextmanager
def hands(count: int) -> Iterator[list[Hand]]:
    """Start ``count`` hands, each with a transaction."""
    transactions = [Hand(f"hand-{nth}") for nth in range(count)]
    try:
        yield transactions
    finally:
        for hand in transactions:
            hand.leave()
