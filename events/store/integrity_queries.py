"""Database queries of the integrity check.

Events are read page by page, and versions are compared by the database, so memory use does not
grow with the log.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from django.db import connections

_PAGE = 5000

# One statement, so one snapshot: a counter is compared with the rows that it counted.
_COUNTERS = (
    'SELECT partition, head, coalesce((SELECT max("offset") FROM events'
    " WHERE events.partition = partitions.partition), 0) FROM partitions ORDER BY partition"
)
_UNKNOWN_PARTITIONS = (
    "SELECT DISTINCT partition FROM events"
    " WHERE partition NOT IN (SELECT partition FROM partitions) ORDER BY partition"
)
# Between two offsets, not with a LIMIT: on a log that was just imported, and so has no statistics
# yet, a LIMIT was planned as a sort of all that follows, for every page.
_EVENTS = (
    'SELECT "offset", stream, version, type, data::text FROM events'
    ' WHERE partition = %s AND "offset" > %s AND "offset" <= %s ORDER BY "offset"'
)
_NEXT = 'SELECT min("offset") FROM events WHERE partition = %s AND "offset" > %s'
_VERSION_GAPS = (
    'SELECT "offset", stream, version, before FROM (SELECT "offset", stream, version,'
    ' lag(version, 1, 0) OVER (PARTITION BY stream COLLATE "C" ORDER BY "offset") AS before'
    ' FROM events WHERE partition = %s AND "offset" <= %s) AS versions'
    ' WHERE version <> before + 1 ORDER BY "offset"'
)


class PartitionCounter(NamedTuple):
    """A partition's head counter, and the offset of its last event."""

    partition: int
    head: int
    last: int


class CheckedEvent(NamedTuple):
    """The columns of an event that are checked."""

    offset: int
    stream: str
    version: int
    type: str
    data: str


class VersionGap(NamedTuple):
    """An event whose version does not follow its stream's ``previous`` one."""

    offset: int
    stream: str
    version: int
    previous: int


class IntegrityQueries:
    """The event log in the Django database ``alias``."""

    def __init__(self, *, alias: str = "default") -> None:
        self._alias = alias

    def partition_counters(self) -> Sequence[PartitionCounter]:
        """The counters of all partitions."""
        with connections[self._alias].cursor() as cursor:
            cursor.execute(_COUNTERS)
            return [PartitionCounter(*row) for row in cursor.fetchall()]

    def unknown_partitions(self) -> Sequence[int]:
        """Partitions that have events, but no counter."""
        with connections[self._alias].cursor() as cursor:
            cursor.execute(_UNKNOWN_PARTITIONS)
            return [partition for (partition,) in cursor.fetchall()]

    def pages(self, partition: int, *, through: int) -> Iterator[Sequence[CheckedEvent]]:
        """The partition's events up to an offset, page by page."""
        after = 0
        with connections[self._alias].cursor() as cursor:
            while after < through:
                end = min(after + _PAGE, through)
                cursor.execute(_EVENTS, [partition, after, end])
                if page := [CheckedEvent._make(row) for row in cursor.fetchall()]:
                    yield page
                    after = end
                else:  # a gap, however large
                    cursor.execute(_NEXT, [partition, after])
                    after = cursor.fetchone()[0] - 1

    def version_gaps(self, partition: int, *, through: int) -> Iterator[VersionGap]:
        """Events whose version is not the next of their stream, in order of offset."""
        with connections[self._alias].cursor() as cursor:
            cursor.execute(_VERSION_GAPS, [partition, through])
            yield from map(VersionGap._make, cursor.fetchall())
