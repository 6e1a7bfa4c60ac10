"""Which events does someone want to see?"""

from collections.abc import Iterator, Mapping
from heapq import nlargest
from typing import NamedTuple

from events.partition import partition_of
from events.recorded import Stored
from events.store import EventStore

_PAGE = 2000


class Selection(NamedTuple):
    """Those of a type, of a stream, of a user's own streams; None: no matter which."""

    type: str | None = None
    stream: str | None = None
    user: str | None = None

    def takes(self, stored: Stored) -> bool:
        """Whether the event is one of them."""
        return (
            (self.type is None or stored.type.partition(".")[0] == self.type.partition(".")[0])
            and (self.stream is None or stored.stream == self.stream)
            and (self.user is None or self.user in stored.stream)
        )

    def partitions(self, count: int) -> range:
        """The partitions that may have any."""
        if self.user is None:
            return range(count)
        found = partition_of(self.user, count)
        return range(found, found + 1)

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return self == Selection()


def last(store: EventStore, selection: Selection, count: int) -> list[Stored]:
    """The last so many of them, in the order in which they were recorded."""
    heads = store.heads()
    found = nlargest(
        count,
        (
            stored
            for partition in selection.partitions(store.partitions)
            for stored in since(
                store,
                partition,
                max(heads[partition] - count, 0) if selection.is_everything else 0,
            )
            if selection.takes(stored)
        ),
        key=_recorded,
    )
    return sorted(found, key=_recorded)


def following(store: EventStore, selection: Selection, seen: dict[int, int]) -> Iterator[Stored]:
    """Those that came after what was ``seen`` of each partition, which is moved on."""
    news: Mapping[int, int] = dict(enumerate(store.heads()))
    for partition in selection.partitions(store.partitions):
        if news[partition] > seen.get(partition, 0):
            for stored in since(store, partition, seen.get(partition, 0)):
                seen[partition] = stored.offset
                if selection.takes(stored):
                    yield stored


def since(store: EventStore, partition: int, after: int) -> Iterator[Stored]:
    """All of a partition's events behind an offset, page by page."""
    while page := store.page_stored(partition, after=after, limit=_PAGE):
        yield from page
        after = page[-1].offset


def _recorded(stored: Stored) -> tuple[float, int, int]:
    return stored.recorded_at.timestamp(), stored.partition, stored.offset
