"""Event store in PostgreSQL."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from itertools import starmap
from typing import Any, TypeAlias
from weakref import WeakSet

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import IntegrityError
from psycopg2 import Error as DriverError

from events import codec
from events.catalogue import AnyEvent
from events.recorded import Origin, Position, Recorded, Stored, Stream, partition_of
from events.store import AppendEntry, WrongExpectedVersion

COLUMNS = (
    'partition, "offset", stream, version, type, data::text, occurred_at, recorded_at,'
    " correlation_id, causation_id, traceparent"
)
"""The fields of ``Stored``, in their order."""

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
# Without the bounds all streams of the partition are read: a pattern is a range of the index in the
# collation C only, not in C.UTF-8.
_STREAMS = (
    "SELECT stream FROM events"
    " WHERE partition = %s AND stream > %s AND stream < %s AND stream LIKE %s AND version = 1"
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

_Row: TypeAlias = tuple[str, int, str, str, datetime | None]
"""Stream, version, type, data, and when it happened; None: now."""

_prepared: WeakSet[Any] = WeakSet()
"""Driver connections whose session has prepared ``append_one``."""


class PostgresStore:
    """The event log in Django's default database; thread-safe."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self._counted = range(0)  # the log's partitions; counted when first needed

    def read(self, stream: Stream) -> Sequence[Recorded]:
        """See EventStore."""
        partition = partition_of(stream.owner, self.partitions)
        rows = _rows(connections["default"], _READ, [partition, stream.name])
        return list(map(codec.decode_stored, starmap(Stored, rows)))

    def read_many(self, streams: Sequence[Stream]) -> dict[str, Sequence[Recorded]]:
        """See EventStore."""
        by_stream: dict[str, list[Recorded]] = defaultdict(list)
        for partition, names in self._by_partition(streams).items():
            for row in _rows(connections["default"], _READ_MANY, [partition, names]):
                recorded = codec.decode_stored(Stored(*row))
                by_stream[recorded.stream].append(recorded)
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
        rows = [
            (stream.name, version, *codec.encode(event), occurred_at)
            for version, event in enumerate(events, start=expected + 1)
        ]
        partition = partition_of(stream.owner, self.partitions)
        if connections["default"].in_atomic_block:
            # A savepoint, so that a conflict does not abort the caller's transaction.
            with transaction.atomic():
                first, at = self._append(partition, rows, origin)
        else:
            first, at = self._append(partition, rows, origin)
        return [
            Recorded(
                partition=partition,
                offset=first + nth - 1,
                stream=stream.name,
                version=expected + nth,
                occurred_at=occurred_at or at,
                recorded_at=at,
                origin=origin,
                event=event,
            )
            for nth, event in enumerate(events, start=1)
        ]

    def append_many(self, entries: Sequence[AppendEntry], *, origin: Origin) -> Sequence[Position]:
        """See EventStore."""
        by_partition: dict[int, dict[int, _Row]] = defaultdict(dict)
        for nth, (stream, version, event, occurred_at) in enumerate(entries):
            row = (stream.name, version, *codec.encode(event), occurred_at)
            by_partition[partition_of(stream.owner, self.partitions)][nth] = row
        positions: dict[int, Position] = {}
        with transaction.atomic():
            # In one order for all, or two appends would deadlock.
            for partition in sorted(by_partition):
                rows = by_partition[partition]
                first, _ = self._append(partition, list(rows.values()), origin)
                for offset, nth in enumerate(rows, start=first):
                    positions[nth] = Position(partition, offset)
        return [positions[nth] for nth in range(len(entries))]

    def versions(self, streams: Sequence[Stream]) -> dict[str, int]:
        """See EventStore."""
        return {
            name: version
            for partition, names in self._by_partition(streams).items()
            for name, version in _rows(connections["default"], _VERSIONS, [partition, names])
        }

    def streams(self, owner: str, *, prefix: str, after: str, limit: int) -> Sequence[str]:
        """See EventStore."""
        partition = partition_of(owner, self.partitions)
        # Stream names have no % and no _, and nothing that any collation sorts after z.
        bounds = [after or prefix, f"{prefix}zz", f"{prefix}%"]
        parameters = [partition, *bounds, owner, limit]
        rows = _rows(connections["default"], _STREAMS, parameters)
        return [name for (name,) in rows]

    def heads(self) -> Sequence[int]:
        """See EventStore."""
        sql = "SELECT head FROM partitions ORDER BY partition"
        return [head for (head,) in _rows(connections["default"], sql, [])]

    def page(self, partition: int, *, after: int, limit: int) -> Sequence[Recorded]:
        """See EventStore."""
        return list(map(codec.decode_stored, self.page_stored(partition, after=after, limit=limit)))

    def page_stored(self, partition: int, *, after: int, limit: int) -> Sequence[Stored]:
        """See EventStore."""
        rows = _rows(connections["default"], _PAGE, [partition, after, after + limit])
        return list(starmap(Stored, rows))

    def _by_partition(self, streams: Sequence[Stream]) -> dict[int, list[str]]:
        names: dict[int, list[str]] = defaultdict(list)
        for stream in streams:
            names[partition_of(stream.owner, self.partitions)].append(stream.name)
        return names

    def _append(
        self, partition: int, events: Sequence[_Row], origin: Origin
    ) -> tuple[int, datetime]:
        """Append to one partition; the first offset, and the time."""
        database = connections["default"]
        request = (str(origin.correlation_id), origin.causation_id, origin.traceparent)
        try:
            if len(events) == 1:
                if database.connection not in _prepared:
                    _prepare(database)
                rows = _rows(database, _APPEND_ONE, (partition, *events[0], *request))
            else:
                columns = map(list, zip(*events, strict=True))
                rows = _rows(database, _APPEND, (partition, *columns, *request))
        except IntegrityError as error:
            raise WrongExpectedVersion(events[0][0]) from error
        if not rows:
            if partition not in self._counted:
                self._count_partitions(partition)
            raise WrongExpectedVersion(events[0][0])
        return rows[0]

    def _count_partitions(self, partition: int) -> None:
        """Count the log's partitions; raises ValueError if it does not have this one."""
        self._counted = range(len(self.heads()))
        if partition not in self._counted:
            raise ValueError(f"The log has {len(self._counted)} partitions, no number {partition}.")


def _prepare(database: BaseDatabaseWrapper) -> None:
    """Prepare the append of one event in the session."""
    database.ensure_connection()
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
