"""How does the log take events with the offsets and times that they had?"""

from collections.abc import Sequence

from django.db import connections, transaction

from events.recorded import Stored
from events.store.postgres import PostgresStore

_HEAD = "UPDATE partitions SET head = %s WHERE partition = %s AND head = %s"
_INSERT = (
    'INSERT INTO events (partition, "offset", stream, version, type, data, occurred_at,'
    " recorded_at, correlation_id, causation_id, traceparent)"
    " SELECT %s, e.* FROM unnest(%s::bigint[], %s::text[], %s::integer[], %s::text[], %s::json[],"
    " %s::timestamptz[], %s::timestamptz[], %s::uuid[], %s::text[], %s::text[]) AS e"
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
            cursor.execute(_INSERT, [partition, *_columns(batch)])


def _columns(batch: Sequence[Stored]) -> list[list[object]]:
    rows = [
        (
            stored.offset,
            stored.stream,
            stored.version,
            stored.type,
            stored.data,
            stored.occurred_at,
            stored.recorded_at,
            str(stored.origin.correlation_id),
            stored.origin.causation_id,
            stored.origin.traceparent,
        )
        for stored in batch
    ]
    return [list(column) for column in zip(*rows, strict=True)]
