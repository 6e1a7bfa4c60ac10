"""Event store in PostgreSQL."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
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
from events.recorded import Origin, Position, Recorded, Stored, Stream, stored_from_row
from events.store import AppendEntry, WrongExpectedVersion

COLUMNS = (
    'partition, "offset", stream, version, type, data::text, occurred_at, recorded_at,'
    " correlation_id, causation_id, traceparent"
)
"""What ``stored_from_row`` takes."""

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
# The pattern is part of the statement, so with collation C the planner makes it a range.
_STREAMS = (
    "SELECT stream FROM events"
    " WHERE partition = %s AND stream > %s AND stream LIKE %s AND version = 1"
    " AND strpos(data::text, %s) > 0 ORDER BY stream LIMIT %s"
)
_APPEND = (
    "SELECT first, at FROM append_events(%s::smallint, %s::text[], %s::integer[], %s::text[],"
    " %s::text[], %s::timestamptz[], %s::uuid, %s, %s)"
)
# The counter's row is locked before the clock is read, so recorded_at never decreases there.
# A command may assume that its stream is new: that is checked before anything is written, so a
# wrong assumption returns no row, moves no counter and logs no error.
_PREPARE_ONE = """
PREPARE append_one(smallint, text, integer, text, text, timestamptz, uuid, text, text) AS
WITH counted AS (
    UPDATE partitions SET head = head + 1
    WHERE partition = $1
      AND NOT ($3 = 1 AND EXISTS (SELECT FROM events WHERE partition = $1 AND stream = $2))
    RETURNING head, clock_timestamp() AS at
)
INSERT INTO events (partition, "offset", stream, version, type, data, occurred_at, recorded_at,
                    correlation_id, causation_id, traceparent)
SELECT $1, head, $2, $3, $4, $5::json, coalesce($6, at), at, $7, $8, $9 FROM counted
RETURNING "offset", recorded_at
"""
_APPEND_ONE = "EXECUTE append_one(%s, %s, %s, %s, %s, %s, %s, %s, %s)"

_prepared: WeakSet[Any] = WeakSet()
"""Driver connections whose session has prepared ``append_one``."""


class PostgresStore:
    """The event log in the Django database ``alias``; thread-safe."""

    def __init__(self, partitions: int, *, alias: str = "default") -> None:
        self.partitions = partitions
        self._alias = alias
        self._partition_count = 0  # of the log; read when first needed

    def read(self, stream: Stream) -> Sequence[Recorded]:
        """See EventStore."""
        partition = partition_of(stream.owner, self.partitions)
        return [codec.decode_stored(row) for row in self._stored(_READ, [partition, stream.name])]

    def read_many(self, streams: Sequence[Stream]) -> dict[str, Sequence[Recorded]]:
        """See EventStore."""
        by_stream: dict[str, list[Recorded]] = defaultdict(list)
        for partition, names in self._by_partition(streams).items():
            for row in self._stored(_READ_MANY, [partition, names]):
                by_stream[row.stream].append(codec.decode_stored(row))
        return dict(by_stream)

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
            AppendEntry(stream, expected + nth, event, occurred_at)
            for nth, event in enumerate(events, start=1)
        ]
        database = connections[self._alias]
        if database.in_atomic_block:
            # A savepoint, so that a conflict does not abort the caller's transaction.
            with transaction.atomic(using=self._alias):
                first, at = self._append(database, partition, entries, origin)
        else:
            first, at = self._append(database, partition, entries, origin)
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

    def append_many(self, entries: Sequence[AppendEntry], *, origin: Origin) -> Sequence[Position]:
        """See EventStore."""
        by_partition: dict[int, list[int]] = defaultdict(list)
        for nth, entry in enumerate(entries):
            by_partition[partition_of(entry.stream.owner, self.partitions)].append(nth)
        positions: dict[int, Position] = {}
        database = connections[self._alias]
        with transaction.atomic(using=self._alias):
            # In one order for all, or two appends would deadlock.
            for partition in sorted(by_partition):
                nths = by_partition[partition]
                some = [entries[nth] for nth in nths]
                first, _ = self._append(database, partition, some, origin)
                positions |= {nth: Position(partition, first + k) for k, nth in enumerate(nths)}
        return [positions[nth] for nth in range(len(entries))]

    def versions(self, streams: Sequence[Stream]) -> dict[str, int]:
        """See EventStore."""
        return {
            name: version
            for partition, names in self._by_partition(streams).items()
            for name, version in self._rows(_VERSIONS, [partition, names])
        }

    def streams(self, owner: str, *, prefix: str, after: str, limit: int) -> Sequence[str]:
        """See EventStore."""
        partition = partition_of(owner, self.partitions)
        pattern = f"{prefix}%"  # stream names have no % and no _
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
        self,
        database: BaseDatabaseWrapper,
        partition: int,
        entries: Sequence[AppendEntry],
        origin: Origin,
    ) -> tuple[int, datetime]:
        columns: list[list[Any]] = [
            [entry.stream.name for entry in entries],
            [entry.version for entry in entries],
            [codec.type_of(entry.event) for entry in entries],
            [codec.encode(entry.event) for entry in entries],
            [entry.occurred_at for entry in entries],
        ]
        origin_columns = [str(origin.correlation_id), origin.causation_id, origin.traceparent]
        try:
            if len(entries) == 1:
                _prepare(database)
                scalars = [value for [value] in columns]
                rows = _rows(database, _APPEND_ONE, [partition, *scalars, *origin_columns])
            else:
                rows = _rows(database, _APPEND, [partition, *columns, *origin_columns])
        except IntegrityError as error:
            raise WrongExpectedVersion(entries[0].stream.name) from error
        if not rows:
            self._check_partition(partition)
            raise WrongExpectedVersion(entries[0].stream.name)
        [(first, at)] = rows
        return first, at

    def _check_partition(self, partition: int) -> None:
        """Raise ValueError for a partition that the log does not have."""
        if partition >= self._partition_count:
            self._partition_count = len(self.heads())
        if partition >= self._partition_count:
            raise ValueError(
                f"The log has {self._partition_count} partitions, no number {partition}."
            )

    def _rows(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        return _rows(connections[self._alias], sql, parameters)

    def _stored(self, sql: str, parameters: Sequence[Any]) -> Iterable[Stored]:
        return map(stored_from_row, self._rows(sql, parameters))


def _prepare(database: BaseDatabaseWrapper) -> None:
    """Prepare the append of one event in the session."""
    database.ensure_connection()
    if database.connection in _prepared:
        return
    with database.wrap_database_errors, database.connection.cursor() as cursor:
        cursor.execute(_PREPARE_ONE)
    _prepared.add(database.connection)


def _rows(
    database: BaseDatabaseWrapper, sql: str, parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    # The driver's own cursor: Django's costs 30 us more, a third of an append.
    # Errors are converted only when there are any (what that saves was not measured).
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
