"""Event store in memory, for tests."""

from collections.abc import Sequence
from datetime import UTC, datetime
from threading import Lock

from events import codec
from events.catalogue import AnyEvent
from events.partition import partition_of
from events.recorded import Origin, Position, Recorded, Stored, Stream
from events.store import AppendEntry, WrongExpectedVersion


class MemoryStore:
    """The log in lists; the contract tests hold it and PostgresStore to the same promises."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self._log: list[list[Stored]] = [[] for _ in range(partitions)]
        self._versions: dict[str, int] = {}
        self._lock = Lock()

    def read(self, stream: Stream) -> Sequence[Recorded]:
        """See EventStore."""
        rows = self._log[partition_of(stream.owner, self.partitions)]
        return [codec.decode_stored(row) for row in rows if row.stream == stream.name]

    def read_many(self, streams: Sequence[Stream]) -> dict[str, Sequence[Recorded]]:
        """See EventStore."""
        return {stream.name: events for stream in streams if (events := self.read(stream))}

    def append(
        self,
        stream: Stream,
        events: Sequence[AnyEvent],
        *,
        expected: int,
        origin: Origin,
        occurred_at: datetime | None = None,
    ) -> Sequence[Recorded]:
        """See EventStore."""
        entries = [
            AppendEntry(stream, expected + nth, event, occurred_at)
            for nth, event in enumerate(events, start=1)
        ]
        positions = self.append_many(entries, origin=origin)
        return [
            codec.decode_stored(self._log[partition][offset - 1]) for partition, offset in positions
        ]

    def append_many(self, entries: Sequence[AppendEntry], *, origin: Origin) -> Sequence[Position]:
        """See EventStore."""
        with self._lock:
            self._check_versions(entries)
            return [self._append(entry, origin) for entry in entries]

    def versions(self, streams: Sequence[Stream]) -> dict[str, int]:
        """See EventStore."""
        return {
            stream.name: self._versions[stream.name]
            for stream in streams
            if stream.name in self._versions
        }

    def streams(self, owner: str, *, prefix: str, after: str, limit: int) -> Sequence[str]:
        """See EventStore."""
        rows = self._log[partition_of(owner, self.partitions)]
        names = sorted(
            row.stream
            for row in rows
            if row.version == 1 and row.stream.startswith(prefix) and owner in row.data
        )
        return [name for name in names if name > after][:limit]

    def heads(self) -> Sequence[int]:
        """See EventStore."""
        return [len(rows) for rows in self._log]

    def page(self, partition: int, *, after: int, limit: int) -> Sequence[Recorded]:
        """See EventStore."""
        return [
            codec.decode_stored(row)
            for row in self.page_stored(partition, after=after, limit=limit)
        ]

    def page_stored(self, partition: int, *, after: int, limit: int) -> Sequence[Stored]:
        """See EventStore."""
        return self._log[partition][after : after + limit]

    def _check_versions(self, entries: Sequence[AppendEntry]) -> None:
        versions = dict(self._versions)
        for entry in entries:
            if entry.version != versions.get(entry.stream.name, 0) + 1:
                raise WrongExpectedVersion(entry.stream.name)
            versions[entry.stream.name] = entry.version

    def _append(self, entry: AppendEntry, origin: Origin) -> Position:
        partition = partition_of(entry.stream.owner, self.partitions)
        rows = self._log[partition]
        now = datetime.now(UTC)
        rows.append(
            Stored(
                partition=partition,
                offset=len(rows) + 1,
                stream=entry.stream.name,
                version=entry.version,
                type=codec.type_of(entry.event),
                data=codec.encode(entry.event),
                occurred_at=entry.occurred_at or now,
                recorded_at=now,
                origin=origin,
            )
        )
        self._versions[entry.stream.name] = entry.version
        return Position(partition, len(rows))
