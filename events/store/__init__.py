"""Event store: the protocol of the append-only event log."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from events.catalogue import AnyEvent
from events.recorded import Origin, Position, Recorded, Stored, Stream


class WrongExpectedVersion(Exception):
    """Another append to the stream came first: read it again and decide again."""


class AppendEntry(NamedTuple):
    """One event of a bulk append; ``occurred_at`` None: now."""

    stream: Stream
    version: int
    event: AnyEvent
    occurred_at: datetime | None = None


class EventStore(Protocol):
    """The event log: append-only, with dense offsets in each of its partitions."""

    @property
    def partitions(self) -> int:
        """The number of partitions."""

    def read(self, stream: Stream) -> Sequence[Recorded]:
        """The stream's events from version 1 on; empty for an unknown stream."""

    def read_many(self, streams: Sequence[Stream]) -> dict[str, Sequence[Recorded]]:
        """The events of many streams, by name; streams without events are left out."""

    def append(
        self,
        stream: Stream,
        events: Sequence[AnyEvent],
        *,
        expected: int,
        origin: Origin,
        occurred_at: datetime | None = None,
    ) -> Sequence[Recorded]:
        """Append to a stream that has ``expected`` events; raises WrongExpectedVersion if not."""

    def append_many(self, entries: Sequence[AppendEntry], *, origin: Origin) -> Sequence[Position]:
        """Append to many streams, all or nothing; the positions in the order of ``entries``.

        Raises WrongExpectedVersion when any of the versions exists.
        """

    def versions(self, streams: Sequence[Stream]) -> dict[str, int]:
        """The number of events of each stream, by name; streams without events are left out."""

    def streams(self, owner: str, *, prefix: str, after: str, limit: int) -> Sequence[str]:
        """A page of the names of an owner's streams with a prefix, in the store's own order.

        Streams whose first event names the owner; ``after``: the last name of the previous page.
        """

    def heads(self) -> Sequence[int]:
        """The last offset of each partition; 0 if it is empty."""

    def page(self, partition: int, *, after: int, limit: int) -> Sequence[Recorded]:
        """The next events of a partition in order of offset, decoded."""

    def page_stored(self, partition: int, *, after: int, limit: int) -> Sequence[Stored]:
        """The same, not decoded, for callers that only pass events on."""
