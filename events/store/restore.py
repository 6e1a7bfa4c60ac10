"""How does the log take events with the offsets and times that they had?"""

from collections.abc import Sequence

from django.db import connections, transaction

from events.recorded import Stored
from events.store.postgres import PostgresStore
from events.store.row_mapping import to_row

_HEAD = "UPDATE partitions SET head = %s WHERE partition = %s AND head = %s"
_INSERT = (
    'INSERT INTO events (partition, "offset", stream, version, type, data, occurred_at,'
    " recorded_at, correlation_id, causation_id, traceparent)"
    " SELECT * FROM unnest(%s::smallint[], %s::bigint[], %s::text[], %s::integer[], %s::text[],"
    " %s::json[], %s::timestamptz[], %s::timestamptz[], %s::uuid[], %s::text[], %s::text[])"
)


class NotNext(Exception):
    """The events don't begin right behind the partition's last one: someone else writes."""


class RestorableStore(PostgresStore):
    """The log while it is brought back."""

    def __init__(self, partitions: int, *, alias: str = "default") -> None:
        super().__init__(partitions, alias=alias)
        self._restored = alias

    def restore(self, batch: Sequence[Stored]) -> None:
        """Put in the next events of one partition, all or none."""
        partition, before = batch[0].partition, batch[0].offset - 1
        alias = self._restored
        with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
            cursor.execute(_HEAD, [batch[-1].offset, partition, before])
            if cursor.rowcount != 1 or len(batch) != batch[-1].offset - before:
                raise NotNext(f"{partition}:{before + 1}")
            columns = zip(*map(to_row, batch), strict=True)
            cursor.execute(_INSERT, [list(column) for column in columns])

    def brought_back(self) -> None:
        """All of it is in: let the database look at what it has.

        Until it has, a page of the log may be planned as a sort of all that follows it.
        """
        with connections[self._restored].cursor() as cursor:
            cursor.execute("ANALYZE events, partitions")
