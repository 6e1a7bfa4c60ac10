"""What does the database say of the whole log, for whoever checks it?

Read page by page, and only the columns that are looked at; what must be compared within streams is
compared by the database, so that memory stays the same however long the log is.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from django.db import connections

_PAGE = 5000

# One statement, so one snapshot: a counter is compared with the rows that it counted.
_COUNTED = (
    'SELECT partition, head, coalesce((SELECT max("offset") FROM events'
    " WHERE events.partition = partitions.partition), 0) FROM partitions ORDER BY partition"
)
_ELSEWHERE = (
    "SELECT DISTINCT partition FROM events"
    " WHERE partition NOT IN (SELECT partition FROM partitions) ORDER BY partition"
)
# Between two offsets, not with a LIMIT: on a log that was just brought back, and so has no
# statistics yet, a LIMIT was planned as a sort of all that follows, for every page.
_ROWS = (
    'SELECT "offset", stream, version, type, data::text FROM events'
    ' WHERE partition = %s AND "offset" > %s AND "offset" <= %s ORDER BY "offset"'
)
_NEXT = 'SELECT min("offset") FROM events WHERE partition = %s AND "offset" > %s'
_JUMPS = (
    'SELECT "offset", stream, version, before FROM (SELECT "offset", stream, version,'
    ' lag(version, 1, 0) OVER (PARTITION BY stream COLLATE "C" ORDER BY "offset") AS before'
    ' FROM events WHERE partition = %s AND "offset" <= %s) AS versions'
    ' WHERE version <> before + 1 ORDER BY "offset"'
)


class Counted(NamedTuple):
    """A partition's counter, and its last event."""

    partition: int
    head: int
    last: int


class Row(NamedTuple):
    """An event, as far as it is checked."""

    offset: int
    stream: str
    version: int
    type: str
    data: str


class Jump(NamedTuple):
    """An event that does not follow ``before``, the version of its stream until then."""

    offset: int
    stream: str
    version: int
    before: int


class Sweep:
    """The log in the database that Django calls ``alias``."""

    def __init__(self, *, alias: str = "default") -> None:
        self._alias = alias

    def counted(self) -> Sequence[Counted]:
        """All partitions that the log has."""
        with connections[self._alias].cursor() as cursor:
            cursor.execute(_COUNTED)
            return [Counted(*row) for row in cursor.fetchall()]

    def elsewhere(self) -> Sequence[int]:
        """Partitions that the log has not, with events nevertheless."""
        with connections[self._alias].cursor() as cursor:
            cursor.execute(_ELSEWHERE)
            return [partition for (partition,) in cursor.fetchall()]

    def pages(self, partition: int, *, through: int) -> Iterator[Sequence[Row]]:
        """The partition's events up to an offset."""
        after = 0
        with connections[self._alias].cursor() as cursor:
            while after < through:
                upto = min(after + _PAGE, through)
                cursor.execute(_ROWS, [partition, after, upto])
                if page := [Row._make(row) for row in cursor.fetchall()]:
                    yield page
                    after = upto
                else:  # a hole, however large
                    cursor.execute(_NEXT, [partition, after])
                    after = cursor.fetchone()[0] - 1

    def jumps(self, partition: int, *, through: int) -> Iterator[Jump]:
        """Where a version is not the next of its stream, in the order of the offsets."""
        with connections[self._alias].cursor() as cursor:
            cursor.execute(_JUMPS, [partition, through])
            yield from map(Jump._make, cursor.fetchall())
