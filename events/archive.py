"""How is the log taken away in a file, and brought back out of it?

JSON lines: first what the log was like, then its events, partition by partition. Sealed fields stay
sealed: they can be read again only with the keys.
"""

import gzip
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby, islice
from pathlib import Path
from typing import IO, Literal, Protocol, cast
from uuid import UUID

import msgspec

from events.recorded import Origin, Stored
from events.selection import since
from events.store import EventStore

FORMAT: Literal["marquee-log.v1"] = "marquee-log.v1"
_BATCH = 5000


class NotThisLog(Exception):
    """The archive can't be brought into this log; the message says why."""


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """The first line."""

    format: Literal["marquee-log.v1"]
    partitions: int
    heads: list[int]


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event as the log keeps it."""

    partition: int
    offset: int
    stream: str
    version: int
    type: str
    occurred_at: datetime
    recorded_at: datetime
    correlation_id: UUID
    causation_id: str | None = None
    traceparent: str | None = None
    data: msgspec.Raw


class Restorable(EventStore, Protocol):
    """A log that takes events as they were."""

    def restore(self, batch: Sequence[Stored]) -> None:
        """Put in the next events of one partition; raises NotNext when they are not."""


_encoder = msgspec.json.Encoder()
_beginning = msgspec.json.Decoder(Beginning)
_line = msgspec.json.Decoder(Line)


def write(store: EventStore, path: Path) -> Iterator[Stored]:
    """Write the log as it is now, telling each event; the file is there when all of it is."""
    heads = list(store.heads())
    part = path.with_name(f".part-{path.name}")  # of the same kind: the name's end decides
    with _opened(part, "wb") as file:
        beginning = Beginning(format=FORMAT, partitions=store.partitions, heads=heads)
        file.write(_encoder.encode(beginning) + b"\n")
        for partition, head in enumerate(heads):
            for stored in islice(since(store, partition, 0), head):
                file.write(_encoder.encode(_to_line(stored)) + b"\n")
                yield stored
    part.replace(path)


def beginning(path: Path) -> Beginning:
    """What the archive says of the log that it was made from. Raises NotThisLog."""
    with _opened(path, "rb") as file:
        try:
            return _beginning.decode(file.readline())
        except (msgspec.MsgspecError, OSError, EOFError) as error:
            raise NotThisLog(f"{path} is no archive of a log: {error}") from error


def bring_back(store: Restorable, path: Path) -> Iterator[int]:
    """Put the archive's events into the log, behind those that are already there.

    Tells how many were passed, batch by batch. Raises NotThisLog.
    """
    said = beginning(path)
    if said.partitions != store.partitions:
        raise NotThisLog(f"It has {said.partitions} partitions, this log {store.partitions}.")
    heads = list(store.heads())
    for partition, (here, there) in enumerate(zip(heads, said.heads, strict=True)):
        if here > there:
            raise NotThisLog(f"Partition {partition} has {here} events here, {there} there.")
    for batch in _batches(_lines(path)):
        yield _bring_back(store, batch, heads[batch[0].partition])
    if list(store.heads()) != said.heads:
        raise NotThisLog("The file ends before the log does: it was cut short.")


def _bring_back(store: Restorable, batch: Sequence[Stored], head: int) -> int:
    for stored in batch:
        if stored.offset == head:
            _assert_same(store, stored)
    missing = [stored for stored in batch if stored.offset > head]
    if missing:
        store.restore(missing)
    return len(batch)


def _assert_same(store: EventStore, stored: Stored) -> None:
    """Refuse a log that is not the beginning of this archive."""
    [here] = store.page_stored(stored.partition, after=stored.offset - 1, limit=1)
    if here != stored:
        raise NotThisLog(
            f"Event {stored.partition}:{stored.offset} is another one here: the log must be empty,"
            " or hold what an interrupted import of this file has left."
        )


def _lines(path: Path) -> Iterator[Stored]:
    with _opened(path, "rb") as file:
        file.readline()
        number = 1
        try:
            for number, line in enumerate(file, start=2):  # noqa: B007 - it is read below
                yield _to_stored(_line.decode(line))
        except EOFError:
            return  # gzip's word for a file that was cut short; the heads will tell
        except msgspec.MsgspecError as error:
            raise NotThisLog(f"Line {number} is no event: {error}") from error


def _batches(events: Iterable[Stored]) -> Iterator[list[Stored]]:
    for _, of_partition in groupby(events, key=lambda stored: stored.partition):
        while batch := list(islice(of_partition, _BATCH)):
            yield batch


def _to_line(stored: Stored) -> Line:
    return Line(
        partition=stored.partition,
        offset=stored.offset,
        stream=stored.stream,
        version=stored.version,
        type=stored.type,
        occurred_at=stored.occurred_at,
        recorded_at=stored.recorded_at,
        correlation_id=stored.origin.correlation_id,
        causation_id=stored.origin.causation_id,
        traceparent=stored.origin.traceparent,
        data=msgspec.Raw(stored.data.encode()),
    )


def _to_stored(line: Line) -> Stored:
    return Stored(
        partition=line.partition,
        offset=line.offset,
        stream=line.stream,
        version=line.version,
        type=line.type,
        data=bytes(line.data).decode(),
        occurred_at=line.occurred_at,
        recorded_at=line.recorded_at,
        origin=Origin(
            correlation_id=line.correlation_id,
            causation_id=line.causation_id,
            traceparent=line.traceparent,
        ),
    )


@contextmanager
def _opened(path: Path, mode: Literal["rb", "wb"]) -> Iterator[IO[bytes]]:
    with path.open(mode) as file:
        if path.suffix == ".gz":
            with gzip.GzipFile(fileobj=file, mode=mode) as packed:
                yield cast("IO[bytes]", packed)  # it is one, but typeshed has no word for it
        else:
            yield file
        if mode == "wb":
            file.flush()
            os.fsync(file.fileno())
