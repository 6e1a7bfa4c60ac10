"""How is the log kept in PostgreSQL?"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any
from weakref import WeakSet

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import IntegrityError
from psycopg2 import Error as DriverError

from events import codec
from events.catalogue import AnyEvent
from events.partition import partition_of
from events.recorded import Origin, Position, Recorded, Stored, Stream
from events.store import Entry, StreamMoved
from events.store.rows import COLUMNS, to_stored

_READ = (
    f"SELECT {COLUMNS} FROM events"  # noqa: S608 - constants
    " WHERE partition = %s AND stream = %s ORDER BY version"
)
_READ_MANY = (
    f"SELECT {COLUMNS} FROM events"  # noqa: S608 - constants
    " WHERE partition = %s AND stream = ANY(%s) ORDER BY stream, version"
)
# Offsets are dense, so a page is what lies between two of them. With a LIMIT it was planned as a
# sort of all that follows wherever the table had grown much since it was analysed last.
_PAGE = (
    f"SELECT {COLUMNS} FROM events"  # noqa: S608 - constants
    ' WHERE partition = %s AND "offset" > %s AND "offset" <= %s ORDER BY "offset"'
)
_VERSIONS = (
    "SELECT stream, max(version) FROM events"
    " WHERE partition = %s AND stream = ANY(%s) GROUP BY stream"
)
# The pattern stands in the statement, so where names compare by their bytes it is a range.
_STREAMS = (
    "SELECT stream FROM events"
    " WHERE partition = %s AND stream > %s AND stream LIKE %s AND version = 1"
    " AND strpos(data::text, %s) > 0 ORDER BY stream LIMIT %s"
)
_APPEND = (
    "SELECT first, at FROM append_events(%s::smallint, %s::text[], %s::integer[], %s::text[],"
    " %s::text[], %s::timestamptz[], %s::uuid, %s, %s)"
)
# Of the 180 us that PostgreSQL takes for one event, 20 are for understanding the call.
_PREPARE_ONE = (
    "PREPARE append_one(smallint, text, integer, text, text, timestamptz, uuid, text, text) AS"
    " SELECT first, at FROM append_event($1, $2, $3, $4, $5, $6, $7, $8, $9)"
)
_APPEND_ONE = "EXECUTE append_one(%s, %s, %s, %s, %s, %s, %s, %s, %s)"

_prepared: WeakSet[Any] = WeakSet()
"""The driver's connections that know ``append_one``: a session does as long as it lasts."""


class PostgresStore:
    """The log in the database that Django calls ``alias``; safe to share between threads."""

    def __init__(self, partitions: int, *, alias: str = "default") -> None:
        self.partitions = partitions
        self._alias = alias

    def read(self, stream: Stream) -> Sequence[Recorded]:
        """See EventStore."""
        partition = partition_of(stream.owner, self.partitions)
        return [codec.decode_stored(row) for row in self._stored(_READ, [partition, stream.name])]

    def read_many(self, streams: Sequence[Stream]) -> dict[str, Sequence[Recorded]]:
        """See EventStore."""
        found: dict[str, list[Recorded]] = defaultdict(list)
        for partition, names in self._by_partition(streams).items():
            for row in self._stored(_READ_MANY, [partition, names]):
                found[row.stream].append(codec.decode_stored(row))
        return dict(found)

    def append(
        self,
        stream: Stream,
        events: Sequence[AnyEvent],
        *,
        expected: int,
        origin: Origin,
        occurred_at: datetime | None = None,
    ) -> Sequence[Recorded]:
        """See EventStore."""
        if not events:
            return ()
        partition = partition_of(stream.owner, self.partitions)
        entries = [
            Entry(stream, expected + nth, event, occurred_at)
            for nth, event in enumerate(events, start=1)
        ]
        with self._undoable():
            first, at = self._append(partition, entries, origin)
        return [
            Recorded(
                partition=partition,
                offset=first + nth,
                stream=stream.name,
                version=entry.version,
                occurred_at=occurred_at or at,
                recorded_at=at,
                origin=origin,
                event=entry.event,
            )
            for nth, entry in enumerate(entries)
        ]

    def append_many(self, entries: Sequence[Entry], *, origin: Origin) -> Sequence[Position]:
        """See EventStore."""
        by_partition: dict[int, list[int]] = defaultdict(list)
        for nth, entry in enumerate(entries):
            by_partition[partition_of(entry.stream.owner, self.partitions)].append(nth)
        positions: dict[int, Position] = {}
        with transaction.atomic(using=self._alias):
            # One order for all, or two appends wait in a ring.
            for partition in sorted(by_partition):
                nths = by_partition[partition]
                first, _ = self._append(partition, [entries[nth] for nth in nths], origin)
                positions |= {nth: Position(partition, first + k) for k, nth in enumerate(nths)}
        return [positions[nth] for nth in range(len(entries))]

    def versions(self, streams: Sequence[Stream]) -> dict[str, int]:
        """See EventStore."""
        return {
            name: version
            for partition, names in self._by_partition(streams).items()
            for name, version in self._rows(_VERSIONS, [partition, names])
        }

    def streams(self, owner: str, *, beginning: str, after: str, limit: int) -> Sequence[str]:
        """See EventStore."""
        partition = partition_of(owner, self.partitions)
        pattern = f"{beginning}%"  # names of streams have no % and no _
        rows = self._rows(_STREAMS, [partition, after, pattern, owner, limit])
        return [name for (name,) in rows]

    def heads(self) -> Sequence[int]:
        """See EventStore."""
        return [
            head for (head,) in self._rows("SELECT head FROM partitions ORDER BY partition", [])
        ]

    def page(self, partition: int, *, after: int, limit: int) -> Sequence[Recorded]:
        """See EventStore."""
        return [
            codec.decode_stored(row)
            for row in self.page_stored(partition, after=after, limit=limit)
        ]

    def page_stored(self, partition: int, *, after: int, limit: int) -> Sequence[Stored]:
        """See EventStore."""
        return list(self._stored(_PAGE, [partition, after, after + limit]))

    def _by_partition(self, streams: Sequence[Stream]) -> dict[int, list[str]]:
        names: dict[int, list[str]] = defaultdict(list)
        for stream in streams:
            names[partition_of(stream.owner, self.partitions)].append(stream.name)
        return names

    def _append(
        self, partition: int, entries: Sequence[Entry], origin: Origin
    ) -> tuple[int, datetime]:
        columns: list[list[Any]] = [
            [entry.stream.name for entry in entries],
            [entry.version for entry in entries],
            [codec.type_of(entry.event) for entry in entries],
            [codec.encode(entry.event) for entry in entries],
            [entry.occurred_at for entry in entries],
        ]
        whence = [str(origin.correlation_id), origin.causation_id, origin.traceparent]
        try:
            if len(entries) == 1:
                self._prepare()
                rows = self._rows(
                    _APPEND_ONE, [partition, *(value for [value] in columns), *whence]
                )
            else:
                rows = self._rows(_APPEND, [partition, *columns, *whence])
        except IntegrityError as error:
            raise StreamMoved(entries[0].stream.name) from error
        if not rows:
            raise StreamMoved(entries[0].stream.name)
        [(first, at)] = rows
        return first, at

    def _prepare(self) -> None:
        """Have the session know how one event is appended."""
        database = self._connection
        database.ensure_connection()
        if database.connection in _prepared:
            return
        with database.wrap_database_errors, database.connection.cursor() as cursor:
            cursor.execute(_PREPARE_ONE)
        _prepared.add(database.connection)

    def _undoable(self) -> AbstractContextManager[Any]:
        """A savepoint inside a transaction, so that a lost race does not end it; else nothing."""
        if self._connection.in_atomic_block:
            return transaction.atomic(using=self._alias)
        return nullcontext()

    @property
    def _connection(self) -> BaseDatabaseWrapper:
        return connections[self._alias]

    def _rows(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        # The driver's own cursor: Django's costs 30 us more, a third of an append's time here.
        # Errors are wrapped only where there are any (what that saves was not measured).
        database = self._connection
        if database.connection is None:
            database.ensure_connection()
        try:
            with database.connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                rows: list[tuple[Any, ...]] = cursor.fetchall()
                return rows
        except DriverError:
            with database.wrap_database_errors:
                raise

    def _stored(self, sql: str, parameters: Sequence[Any]) -> Iterable[Stored]:
        return map(to_stored, self._rows(sql, parameters))
