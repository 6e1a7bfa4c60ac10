"""Integrity check of the event log: gaps, wrong counters, wrong versions, unreadable events."""

from collections.abc import Callable, Iterator

import msgspec

from events import codec
from events.store.integrity_queries import CheckedEvent, IntegrityQueries, PartitionCounter

OnProgress = Callable[[int, int], object]
"""Called with a partition and how many more of its events were read."""


class _Tagged(msgspec.Struct):
    type: str


_tag_decoder = msgspec.json.Decoder(_Tagged)


def find_faults(
    queries: IntegrityQueries, *, partitions: int, on_progress: OnProgress
) -> Iterator[str]:
    """Describe everything that is wrong with a log of ``partitions`` partitions, as it is now."""
    counters = queries.partition_counters()
    if [each.partition for each in counters] != list(range(partitions)):
        yield f"the log has {len(counters)} partitions, the configuration {partitions}"
    for partition in queries.unknown_partitions():
        yield f"{partition}: there are events, but the log has no such partition"
    for each in counters:
        if each.head != each.last:
            yield f"{each.partition}: the head is {each.head}, but the last event is {each.last}"
        yield from _partition_faults(queries, each, on_progress)


def _partition_faults(
    queries: IntegrityQueries, counter: PartitionCounter, on_progress: OnProgress
) -> Iterator[str]:
    partition = counter.partition
    offset = 0
    for page in queries.pages(partition, through=counter.last):
        for event in page:
            if event.offset != offset + 1:
                yield f"{partition}: after offset {offset} comes {event.offset}"
            offset = event.offset
            if reason := _why_unreadable(event):
                yield f"{partition}:{offset} {event.stream}@{event.version} {event.type}: {reason}"
        on_progress(partition, len(page))
    for gap in queries.version_gaps(partition, through=counter.last):
        yield (
            f"{partition}:{gap.offset} {gap.stream}: version {gap.version} comes after"
            f" {gap.previous}"
        )


def _why_unreadable(stored: CheckedEvent) -> str | None:
    try:
        codec.decode(stored.type, stored.data)
        tag = _tag_decoder.decode(stored.data).type
    except (msgspec.MsgspecError, ValueError) as error:
        return f"can't be read: {error}"
    return None if tag == stored.type else f"is stored as {stored.type}, but its tag is {tag}"
