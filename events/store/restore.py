"""Restore of the event log: inserts archived events with their original offsets and times."""

from collections.abc import Sequence

import msgspec
from django.db import connection, transaction

from events.recorded import Stored
from events.store.postgres import PostgresStore

_HEAD = "UPDATE partitions SET head = %s WHERE partition = %s AND head = %s"
_INSERT = (
    'INSERT INTO events (partition, "offset", stream, version, type, data, occurred_at,'
    " recorded_at, correlation_id, causation_id, traceparent)"
    " SELECT * FROM unnest(%s::smallint[], %s::bigint[], %s::text[], %s::integer[], %s::text[],"
    " %s::json[], %s::timestamptz[], %s::timestamptz[], %s::uuid[], %s::text[], %s::text[])"
)


class NotContiguous(Exception):
    """The events don't follow the partition's last one: another process appended to the log."""


class RestorableStore(PostgresStore):
    """An event store that also inserts events at given offsets, for the import of an archive."""

    def restore(self, batch: Sequence[Stored]) -> None:
        """Insert the next events of one partition, all or none; raises NotContiguous."""
        partition, head = batch[0].partition, batch[0].offset - 1
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_HEAD, [batch[-1].offset, partition, head])
            if cursor.rowcount != 1 or len(batch) != batch[-1].offset - head:
                raise NotContiguous(f"{partition}:{head + 1}")
            columns = zip(*map(msgspec.structs.astuple, batch), strict=True)
            cursor.execute(_INSERT, [list(column) for column in columns])

    def analyze(self) -> None:
        """Update the planner's statistics after an import.

        With outdated ones, reading a page may sort all later events of the partition.
        """
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE events, partitions")
