"""Queries over the event log: the last events, and new ones, filtered by type, stream or user."""

from collections.abc import Iterator
from heapq import nlargest
from typing import NamedTuple

from events.recorded import Stored, partition_of
from events.store import EventStore

_PAGE = 2000


class EventFilter(NamedTuple):
    """Events of a type, of a stream, or of a user's own streams; None: all."""

    type: str | None = None
    stream: str | None = None
    user: str | None = None

    def matches(self, stored: Stored) -> bool:
        """Whether the event passes; a type matches in all its versions."""
        return (
            (self.type is None or stored.type.partition(".")[0] == self.type.partition(".")[0])
            and (self.stream is None or stored.stream == self.stream)
            and (self.user is None or self.user in stored.stream)
        )

    def partitions(self, count: int) -> range:
        """The partitions that may have matching events."""
        if self.user is None:
            return range(count)
        partition = partition_of(self.user, count)
        return range(partition, partition + 1)


def last_events(store: EventStore, event_filter: EventFilter, count: int) -> list[Stored]:
    """The last ``count`` matching events, in the order of recording."""
    heads = store.heads()
    events = nlargest(
        count,
        (
            stored
            for partition in event_filter.partitions(store.partitions)
            for stored in events_after(
                store,
                partition,
                max(heads[partition] - count, 0) if event_filter == EventFilter() else 0,
            )
            if event_filter.matches(stored)
        ),
        key=_recording_order,
    )
    return sorted(events, key=_recording_order)


def new_events(
    store: EventStore, event_filter: EventFilter, offsets: dict[int, int]
) -> Iterator[Stored]:
    """Matching events after the ``offsets`` of the partitions, which are moved on."""
    heads = store.heads()
    for partition in event_filter.partitions(store.partitions):
        if heads[partition] > offsets.get(partition, 0):
            for stored in events_after(store, partition, offsets.get(partition, 0)):
                offsets[partition] = stored.offset
                if event_filter.matches(stored):
                    yield stored


def events_after(store: EventStore, partition: int, after: int) -> Iterator[Stored]:
    """All events of a partition after an offset, read page by page."""
    while page := store.page_stored(partition, after=after, limit=_PAGE):
        yield from page
        after = page[-1].offset


def _recording_order(stored: Stored) -> tuple[float, int, int]:
    return stored.recorded_at.timestamp(), stored.partition, stored.offset
