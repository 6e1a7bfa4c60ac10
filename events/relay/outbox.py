"""What does the relay ask of the log's database?

One connection does it all: it holds the lock that makes this relay the only one, reads, and moves
the cursor. When it is lost, so is the lead, and whatever comes next begins with ``lead``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connections

from events.recorded import Stored
from events.store.row_mapping import COLUMNS, to_stored

_LOCK = 0x4D52454C4159  # "MRELAY"; a lock's number is the database's own, as the cursor is

# A relay that is stopped (SIGSTOP, a frozen machine) keeps its connection, and so the lock. One
# that lives asks something every 200 ms.
_IDLE = "SET idle_session_timeout = '10s'"

_UNSENT = (
    'SELECT e.* FROM unnest(%s::smallint[], %s::bigint[]) AS sent (partition, "offset")'  # noqa: S608 - constants
    f" CROSS JOIN LATERAL (SELECT {COLUMNS} FROM events"
    ' WHERE partition = sent.partition AND "offset" > sent."offset"'
    ' ORDER BY "offset" LIMIT %s) AS e ORDER BY e.partition, e."offset"'
)
# The share lock makes this statement and a new relay's first one wait for each other. Without it an
# update that hangs could pass the check, and put the cursor back after the new relay moved it on.
_MOVE = (
    "WITH mine AS (SELECT FROM relay_epoch WHERE epoch = %s FOR SHARE)"
    ' UPDATE relay_cursors SET "offset" = moved."offset"'
    ' FROM unnest(%s::smallint[], %s::bigint[]) AS moved (partition, "offset")'
    " WHERE relay_cursors.partition = moved.partition"
    ' AND relay_cursors."offset" < moved."offset" AND EXISTS (SELECT FROM mine)'
)
_BEHIND = (
    'SELECT coalesce(sum(head - "offset"), 0) FROM partitions JOIN relay_cursors USING (partition)'
)


class Deposed(Exception):
    """Another relay leads: this one may not move the cursor any more."""


class Outbox:
    """The log with the relay's cursor, in the database that Django calls ``alias``."""

    def __init__(self, *, alias: str = "default") -> None:
        self._alias = alias

    def lead(self) -> int | None:
        """Become the one relay until ``close``: this lead's number, or None if another leads."""
        with connections[self._alias].cursor() as cursor:
            cursor.execute(_IDLE)
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
            if cursor.fetchone() == (False,):
                return None
            cursor.execute("UPDATE relay_epoch SET epoch = epoch + 1 RETURNING epoch")
            return int(cursor.fetchone()[0])

    def cursors(self) -> list[int]:
        """The last offset of each partition that is known to be on the bus."""
        rows = self._rows('SELECT "offset" FROM relay_cursors ORDER BY partition', [])
        return [offset for (offset,) in rows]

    def unsent(self, after: Mapping[int, int], *, limit: int) -> list[Stored]:
        """The events after an offset of each partition, so many of each at most, in order."""
        return [
            to_stored(row)
            for row in self._rows(_UNSENT, [list(after), list(after.values()), limit])
        ]

    def move(self, epoch: int, cursors: Mapping[int, int]) -> None:
        """Note how far the partitions are on the bus. Raises Deposed when another has led since."""
        with connections[self._alias].cursor() as cursor:
            cursor.execute(_MOVE, [epoch, list(cursors), list(cursors.values())])
            if cursor.rowcount != len(cursors):
                raise Deposed

    def renew(self, epoch: int) -> None:
        """Say that this relay lives, for want of another question. Raises Deposed."""
        if self._rows("SELECT epoch FROM relay_epoch", []) != [(epoch,)]:
            raise Deposed

    def behind(self) -> int:
        """How many events are not known to be on the bus."""
        [(behind,)] = self._rows(_BEHIND, [])
        return int(behind)

    def close(self) -> None:
        """End the lead."""
        connections[self._alias].close()

    def _rows(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with connections[self._alias].cursor() as cursor:
            cursor.execute(sql, parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows
