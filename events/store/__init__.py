"""What may be asked of the log?"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from events.catalogue import AnyEvent
from events.recorded import Origin, Position, Recorded, Stored, Stream


class WrongExpectedVersion(Exception):
    """Someone else appended to the stream meanwhile: read it again and decide again."""


class AppendEntry(NamedTuple):
    """One event of a bulk append: where to, as which version, when it happened (None: now)."""

    stream: Stream
    version: int
    event: AnyEvent
    occurred_at: datetime | None = None


class EventStore(Protocol):
    """The log: dense offsets in each of ``partitions`` partitions, nothing ever changed."""

    @property
    def partitions(self) -> int:
        """How many partitions there are."""

    def read(self, stream: Stream) -> Sequence[Recorded]:
        """The stream's events from version 1 on; empty for a stream that is not there."""

    def read_many(self, streams: Sequence[Stream]) -> dict[str, Sequence[Recorded]]:
        """The same of many streams, by name; those without any event are left out."""

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

        Raises WrongExpectedVersion when any of the versions is taken.
        """

    def versions(self, streams: Sequence[Stream]) -> dict[str, int]:
        """How many events each of the streams has, by name; those without any are left out."""

    def streams(self, owner: str, *, beginning: str, after: str, limit: int) -> Sequence[str]:
        """The names of an owner's streams that begin so, in the store's own order, by pages.

        Those whose first event names the owner; ``after``: the last name of the page before.
        """

    def heads(self) -> Sequence[int]:
        """The last offset of each partition, 0 for an empty one."""

    def page(self, partition: int, *, after: int, limit: int) -> Sequence[Recorded]:
        """The next events of a partition in order of offset, decoded."""

    def page_stored(self, partition: int, *, after: int, limit: int) -> Sequence[Stored]:
        """The same as they are stored, for those who only pass them on."""
