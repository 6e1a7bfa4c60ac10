"""Log of the state machine, in memory or in PostgreSQL."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from copy import deepcopy
from datetime import datetime

from django.db import connections, transaction

from events.catalogue import AnyEvent
from events.recorded import Origin, Recorded, Stream
from events.relay.outbox import Outbox
from events.store import EventStore
from events.store.postgres import PostgresStore
from tests.fixtures.recording import NOON
from tests.machine.outbox import MemoryOutbox
from tests.reference.history import PARTITIONS, DatedLog


class Stage(ABC):
    """An empty log with its outbox."""

    store: EventStore
    outbox: Outbox

    @abstractmethod
    def at(self, moment: datetime) -> None:
        """Set the time at which the next events occur."""

    @abstractmethod
    def roll_back(self, work: Callable[[], object]) -> None:
        """Do work in a transaction that is rolled back."""


class InMemory(Stage):
    """Fast log in lists."""

    def __init__(self) -> None:
        self.store = self._log = DatedLog(PARTITIONS)
        self.outbox = MemoryOutbox(self._log)

    def at(self, moment: datetime) -> None:
        """See Stage."""
        self._log.now = moment

    def roll_back(self, work: Callable[[], object]) -> None:
        """See Stage."""
        before = deepcopy((self._log._log, self._log._versions))
        work()
        self._log._log, self._log._versions = before


class _DatedPostgres(PostgresStore):
    now = NOON

    def append(
        self,
        stream: Stream,
        events: Sequence[AnyEvent],
        *,
        expected: int,
        origin: Origin,
        occurred_at: datetime | None = None,
    ) -> Sequence[Recorded]:
        at = occurred_at or self.now
        return super().append(stream, events, expected=expected, origin=origin, occurred_at=at)


class InPostgres(Stage):
    """The real log; the database must be one that commits."""

    def __init__(self) -> None:
        self.store = self._log = _DatedPostgres(PARTITIONS)
        self.outbox = Outbox()
        with connections["default"].cursor() as cursor:
            cursor.execute("TRUNCATE events")
            cursor.execute("UPDATE partitions SET head = 0 WHERE head > 0")
            cursor.execute('UPDATE relay_cursors SET "offset" = 0 WHERE "offset" > 0')

    def at(self, moment: datetime) -> None:
        """See Stage."""
        self._log.now = moment

    def roll_back(self, work: Callable[[], object]) -> None:
        """See Stage."""
        with transaction.atomic():
            work()
            transaction.set_rollback(True)
