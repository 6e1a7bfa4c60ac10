"""What do all steps of one import share?"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from command_api.imports.advisory_lock import turn
from command_api.imports.signals import IsStopping, stop_signals
from events.recorded import Origin
from events.store import EventStore


class ImportInterrupted(Exception):
    """The import stopped between two batches, because it was asked to."""


@dataclass(frozen=True)
class ImportSession:
    """One run of an import."""

    store: EventStore
    is_stopping: IsStopping
    is_dry: bool = False
    """Whether it only says what it would do."""
    origin: Origin = field(default_factory=lambda: Origin(correlation_id=uuid4()))

    def batch_done(self) -> None:
        """The place to stop at, if one was asked to; raises ImportInterrupted."""
        if self.is_stopping():
            raise ImportInterrupted


@contextmanager
def import_session(store: EventStore, *, is_dry: bool = False) -> Iterator[ImportSession]:
    """The only import for a while; raises Busy when it isn't."""
    with turn(), stop_signals() as is_stopping:
        yield ImportSession(store, is_stopping, is_dry)
