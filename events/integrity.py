"""Is the log whole: dense, countable, and can every event still be read?"""

from collections.abc import Callable, Iterator

import msgspec

from events import codec
from events.store.integrity_queries import Counted, Row, Sweep
from events.upcasters import UPCASTERS

Passed = Callable[[int, int], object]
"""Told a partition and how many more of its events were read."""


class _Tagged(msgspec.Struct):
    type: str


_tag_of = msgspec.json.Decoder(_Tagged)


def faults(sweep: Sweep, *, partitions: int, passed: Passed) -> Iterator[str]:
    """Everything that is wrong with a log that should have so many partitions, as it is now."""
    counted = sweep.counted()
    if [each.partition for each in counted] != list(range(partitions)):
        yield f"the log has {len(counted)} partitions, the configuration {partitions}"
    for partition in sweep.elsewhere():
        yield f"{partition}: there are events, but the log has no such partition"
    for each in counted:
        if each.head != each.last:
            yield f"{each.partition}: the head says {each.head}, the last event is {each.last}"
        yield from _of_partition(sweep, each, passed)


def _of_partition(sweep: Sweep, counted: Counted, passed: Passed) -> Iterator[str]:
    partition = counted.partition
    offset = 0
    for page in sweep.pages(partition, through=counted.last):
        for row in page:
            if row.offset != offset + 1:
                yield f"{partition}: after offset {offset} comes {row.offset}"
            offset = row.offset
            if reason := _unreadable(row):
                yield f"{partition}:{offset} {row.stream}@{row.version} {row.type}: {reason}"
        passed(partition, len(page))
    for jump in sweep.jumps(partition, through=counted.last):
        yield (
            f"{partition}:{jump.offset} {jump.stream}: version {jump.version} comes after"
            f" {jump.before}"
        )


def _unreadable(row: Row) -> str | None:
    """Why a reader would not get what was kept; None when it would."""
    try:
        event = codec.decode(row.type, row.data)
        # What an upcaster made has today's tag; what is kept must have the one that it is kept as.
        said = _tag_of.decode(row.data).type if row.type in UPCASTERS else codec.type_of(event)
    except (msgspec.MsgspecError, ValueError) as error:
        return f"can't be read: {error}"
    return None if said == row.type else f"is kept as {row.type}, says {said}"
