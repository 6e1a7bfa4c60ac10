"""The relay's side of the event log's database: leader election, unsent events, cursors.

One connection does it all: it holds the advisory lock of the leader, reads events and saves the
cursors. When the connection is lost, so is the leadership.
"""

from collections.abc import Mapping, Sequence
from itertools import starmap
from typing import Any

from django.db import connection

from events.recorded import Stored
from events.store.postgres import COLUMNS
from infra.advisory_lock import try_session_lock

_LEADER_LOCK = 0x4D52454C4159  # "MRELAY"

# A stopped relay (SIGSTOP, a frozen machine) would keep its connection and so the lock. A running
# one sends a statement every 200 ms.
_IDLE_TIMEOUT = "SET idle_session_timeout = '10s'"

_UNSENT = (
    'SELECT e.* FROM unnest(%s::smallint[], %s::bigint[]) AS sent (partition, "offset")'  # noqa: S608 - constants
    f" CROSS JOIN LATERAL (SELECT {COLUMNS} FROM events"
    ' WHERE partition = sent.partition AND "offset" > sent."offset"'
    ' ORDER BY "offset" LIMIT %s) AS e ORDER BY e.partition, e."offset"'
)
# The epoch is a fencing token. The share lock makes this statement and a new leader's first one
# wait for each other: without it a delayed update could pass the check, and put the cursor back
# after the new leader moved it on.
_SAVE_CURSORS = (
    "WITH mine AS (SELECT FROM relay_epoch WHERE epoch = %s FOR SHARE)"
    ' UPDATE relay_cursors SET "offset" = moved."offset"'
    ' FROM unnest(%s::smallint[], %s::bigint[]) AS moved (partition, "offset")'
    " WHERE relay_cursors.partition = moved.partition"
    ' AND relay_cursors."offset" < moved."offset" AND EXISTS (SELECT FROM mine)'
)
_BACKLOG = (
    'SELECT coalesce(sum(head - "offset"), 0) FROM partitions JOIN relay_cursors USING (partition)'
)


class LeadershipLost(Exception):
    """Another relay leads: this one may not save cursors any more."""


class Outbox:
    """The event log and the relay's cursors, in Django's default database."""

    def acquire_leadership(self) -> int | None:
        """Become the leader until ``close``; the new epoch, or None if another relay leads."""
        with connection.cursor() as cursor:
            cursor.execute(_IDLE_TIMEOUT)
            if not try_session_lock(cursor, _LEADER_LOCK):
                return None
            cursor.execute("UPDATE relay_epoch SET epoch = epoch + 1 RETURNING epoch")
            return int(cursor.fetchone()[0])

    def cursors(self) -> list[int]:
        """The last confirmed offset of each partition."""
        rows = self._rows('SELECT "offset" FROM relay_cursors ORDER BY partition', [])
        return [offset for (offset,) in rows]

    def unsent(self, after: Mapping[int, int], *, limit: int) -> list[Stored]:
        """The next events of each partition after an offset, in order; at most ``limit`` each."""
        rows = self._rows(_UNSENT, [list(after), list(after.values()), limit])
        return list(starmap(Stored, rows))

    def save_cursors(self, epoch: int, cursors: Mapping[int, int]) -> None:
        """Save how far the partitions are confirmed; raises LeadershipLost."""
        with connection.cursor() as cursor:
            cursor.execute(_SAVE_CURSORS, [epoch, list(cursors), list(cursors.values())])
            if cursor.rowcount != len(cursors):
                raise LeadershipLost

    def check_epoch(self, epoch: int) -> None:
        """Check that this relay still leads, which also keeps the session from being idle.

        Raises LeadershipLost.
        """
        if self._rows("SELECT epoch FROM relay_epoch", []) != [(epoch,)]:
            raise LeadershipLost

    def backlog(self) -> int:
        """How many events of the log are not confirmed yet."""
        [(backlog,)] = self._rows(_BACKLOG, [])
        return int(backlog)

    def close(self) -> None:
        """Close the connection, which gives up the leadership."""
        connection.close()

    def _rows(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows
