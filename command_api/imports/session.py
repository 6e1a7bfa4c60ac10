"""Import session: one import at a time, stopped by a signal between two batches."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import TypeAlias
from uuid import uuid4

from events.recorded import Origin
from events.store import EventStore
from infra.advisory_lock import session_lock

IsStopping: TypeAlias = Callable[[], bool]

_LOCK = 0x4D_41_52_51  # any number that nothing else locks
_WAIT_SECONDS = 2.0
"""The sync holds the lock for some tenths of a second per batch."""


class ImportBusy(Exception):
    """Another import is running."""


class ImportInterrupted(Exception):
    """A signal stopped the import between two batches."""


@dataclass(frozen=True)
class ImportSession:
    """What the steps of one import share."""

    store: EventStore
    is_stopping: IsStopping
    is_dry: bool = False
    """Report only, change nothing."""
    origin: Origin = field(default_factory=lambda: Origin(correlation_id=uuid4()))

    def batch_done(self) -> None:
        """Raise ImportInterrupted if a signal asked to stop."""
        if self.is_stopping():
            raise ImportInterrupted


@contextmanager
def import_session(store: EventStore, *, is_dry: bool = False) -> Iterator[ImportSession]:
    """Hold the import lock and catch stop signals; raises ImportBusy."""
    with import_lock(), stop_signals() as is_stopping:
        yield ImportSession(store, is_stopping, is_dry)


@contextmanager
def import_lock(wait_seconds: float = _WAIT_SECONDS) -> Iterator[None]:
    """Hold the lock of all writers that match movies; raises ImportBusy.

    The lock also ends with the connection.
    """
    with session_lock(_LOCK, wait_seconds=wait_seconds) as is_held:
        if not is_held:
            raise ImportBusy(
                "Another import is running on this log. Run the command again when it is done."
            )
        yield


@contextmanager
def stop_signals() -> Iterator[IsStopping]:
    """Turn the first SIGINT or SIGTERM into a flag; a second one ends the process as usual."""
    is_stopping = False
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int, _frame: FrameType | None) -> None:
        nonlocal is_stopping
        is_stopping = True
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, stop)
    try:
        yield lambda: is_stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
