"""Integrity check of the event log: gaps, wrong counters, wrong versions, unreadable events.

Events are read page by page, and versions are compared by the database, so memory use does not
grow with the log.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from django.db import connection

from events import codec

OnProgress = Callable[[int, int], object]
"""Called with a partition and how many more of its events were read."""

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


class _Tagged(msgspec.Struct):
    type: str


_tag_decoder = msgspec.json.Decoder(_Tagged)


def find_faults(*, partitions: int, on_progress: OnProgress) -> Iterator[str]:
    """Describe everything that is wrong with a log of ``partitions`` partitions, as it is now."""
    counters = _rows(_COUNTERS)
    if [partition for partition, _, _ in counters] != list(range(partitions)):
        yield f"the log has {len(counters)} partitions, the configuration {partitions}"
    for (partition,) in _rows(_UNKNOWN_PARTITIONS):
        yield f"{partition}: there are events, but the log has no such partition"
    for partition, head, last in counters:
        if head != last:
            yield f"{partition}: the head is {head}, but the last event is {last}"
        yield from _partition_faults(partition, last, on_progress)


def _partition_faults(partition: int, last: int, on_progress: OnProgress) -> Iterator[str]:
    before = 0
    for page in _pages(partition, through=last):
        for offset, stream, version, type_, data in page:
            if offset != before + 1:
                yield f"{partition}: after offset {before} comes {offset}"
            before = offset
            if reason := _why_unreadable(type_, data):
                yield f"{partition}:{offset} {stream}@{version} {type_}: {reason}"
        on_progress(partition, len(page))
    for offset, stream, version, previous in _rows(_VERSION_GAPS, partition, last):
        yield f"{partition}:{offset} {stream}: version {version} comes after {previous}"


def _pages(partition: int, *, through: int) -> Iterator[Sequence[tuple[Any, ...]]]:
    """The partition's events up to an offset, page by page."""
    after = 0
    while after < through:
        end = min(after + _PAGE, through)
        if page := _rows(_EVENTS, partition, after, end):
            yield page
            after = end
        else:  # a gap, however large
            [(following,)] = _rows(_NEXT, partition, after)
            after = following - 1


def _rows(sql: str, *parameters: int) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _why_unreadable(type_: str, data: str) -> str | None:
    try:
        codec.decode(type_, data)
        tag = _tag_decoder.decode(data).type
    except (msgspec.MsgspecError, ValueError) as error:
        return f"can't be read: {error}"
    return None if tag == type_ else f"is stored as {type_}, but its tag is {tag}"
