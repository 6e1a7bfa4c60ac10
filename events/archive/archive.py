"""Export of the event log to an archive file, and import back into a log.

JSON lines: a header, then the events as CloudEvents, partition by partition. Encrypted fields stay
encrypted: to read them again takes the keys (``manage.py keys export``).
"""

import gzip
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple, cast

import msgspec
from django.db import DataError, IntegrityError

from events import cloudevent
from events.archive.formats import FORMAT, LINE_DECODERS, ArchiveHeader, InvalidArchive
from events.log_query import events_after
from events.recorded import Stored
from events.store import EventStore
from events.store.restore import RestorableStore
from infra import line_reader
from infra.client_times import to_utc
from infra.line_reader import DamagedFile, FileLine

LONGEST_LINE = 2**24
"""Bytes. The longest event is the erasure of a user, which names all their playlists."""
_BATCH = 5000
_BATCH_BYTES = 2**25
_LAST_VERSION = 2**31 - 1
_GZIP_LEVEL = 6  # with Python's default of 9 an export takes 1.4 times as long, for 2 % of size

_header_decoder = msgspec.json.Decoder(ArchiveHeader)


def export_log(store: EventStore, path: Path) -> Iterator[Stored]:
    """Write the log as it is now, yielding each event; the file appears once it is complete."""
    heads = list(store.heads())
    part = path.with_name(f".part-{path.name}")  # keeps the suffix, which decides on gzip
    with _new_file(part) as file:
        file.write(
            encode_header(ArchiveHeader(format=FORMAT, partitions=store.partitions, heads=heads))
        )
        for partition, head in enumerate(heads):
            for stored in islice(events_after(store, partition, 0), head):
                file.write(cloudevent.wrap(stored) + b"\n")
                yield stored
    part.replace(path)


def encode_header(header: ArchiveHeader) -> bytes:
    """The first line of an archive."""
    return msgspec.json.encode(header) + b"\n"


def read_header(path: Path) -> ArchiveHeader:
    """Read the first line of an archive; raises InvalidArchive."""
    try:
        header = _header_decoder.decode(_content(next(_lines(path), None)))
    except (msgspec.MsgspecError, OSError, RecursionError, ValueError) as error:
        reason = f"{path} is not an archive of an event log, by its line 1: {error}"
        raise InvalidArchive(reason) from error
    if len(header.heads) != header.partitions:
        raise InvalidArchive(
            f"Line 1 of {path} has {len(header.heads)} heads for {header.partitions} partitions."
        )
    return header


def import_log(store: RestorableStore, path: Path) -> Iterator[int]:
    """Append the archive's missing events to the log; yields the number of events per batch.

    Of a file that was cut short or changed the events before that are imported, of a damaged
    gzipped one none. Raises InvalidArchive.
    """
    try:
        line_reader.refuse_damaged(path)
    except DamagedFile as error:
        raise InvalidArchive(f"{error}\nNothing was imported.") from error
    header = read_header(path)
    if header.partitions != store.partitions:
        raise InvalidArchive(
            f"The archive has {header.partitions} partitions, this log has {store.partitions}."
        )
    heads = list(store.heads())
    for partition, (ours, archived) in enumerate(zip(heads, header.heads, strict=True)):
        if ours > archived:
            raise InvalidArchive(
                f"Partition {partition} has {ours} events in this log, but {archived} in the"
                " archive: import it into an empty log."
            )
    events = _EventReader(path, header)
    for batch in _batches(events):
        yield _import_batch(store, batch, heads[batch[0].stored.partition])
    if events.fault:
        raise InvalidArchive(events.fault)
    if list(store.heads()) != header.heads:
        raise InvalidArchive("The file was cut short: it ends before the last event.")


class ArchivedEvent(NamedTuple):
    """An event of an archive, with the number of its line."""

    line: int
    stored: Stored


def _import_batch(store: RestorableStore, batch: Sequence[ArchivedEvent], head: int) -> int:
    for _, stored in batch:
        if stored.offset == head:
            _check_same(store, stored)
    missing = [event for event in batch if event.stored.offset > head]
    if missing:
        _restore(store, missing)
    return len(batch)


def _restore(store: RestorableStore, events: Sequence[ArchivedEvent]) -> None:
    """Append the events; raises InvalidArchive at the first that the database refuses."""
    try:
        store.restore([stored for _, stored in events])
    except (DataError, IntegrityError) as error:
        if len(events) == 1:
            raise InvalidArchive(f"Line {events[0].line} can't be stored: {error}") from error
        for event in events:
            _restore(store, [event])


def _check_same(store: EventStore, stored: Stored) -> None:
    """Refuse a log that is not a prefix of this archive."""
    [existing] = store.page_stored(stored.partition, after=stored.offset - 1, limit=1)
    if existing != stored:
        raise InvalidArchive(
            f"Event {stored.partition}:{stored.offset} differs from this log's: the log must"
            " be empty, or hold events of an interrupted import of this file."
        )


class _EventReader:
    """The events of an archive, up to its end or to the first ``fault``."""

    def __init__(self, path: Path, header: ArchiveHeader) -> None:
        self._path = path
        self._decode = LINE_DECODERS[header.format]
        self._heads = header.heads
        self._offsets = [0] * len(header.heads)
        self.fault: str | None = None

    def __iter__(self) -> Iterator[ArchivedEvent]:
        lines = _lines(self._path)
        next(lines, None)
        for line in lines:
            if line.is_blank:
                continue
            try:
                stored = _in_utc(self._decode(_content(line)))
                self._refuse(stored)
            except (msgspec.MsgspecError, RecursionError, ValueError) as error:
                self.fault = f"Line {line.number} is not an event of this log: {error}"
                if not line.is_ended:
                    self.fault = f"The file was cut short, in line {line.number}."
                return
            except _OutOfOrder:
                self.fault = f"Line {line.number} is not the next event of its partition."
                return
            yield ArchivedEvent(line.number, stored)

    def _refuse(self, stored: Stored) -> None:
        """Raise ValueError or _OutOfOrder unless the event follows the ones before."""
        partition = stored.partition
        if not 0 <= partition < len(self._heads):
            raise ValueError(f"there is no partition {partition}")
        self._offsets[partition] += 1
        if not self._offsets[partition] == stored.offset <= self._heads[partition]:
            raise _OutOfOrder
        if not 0 < stored.version <= _LAST_VERSION:
            raise ValueError(f"{stored.version} is no stream version")
        if any("\0" in text for text in _texts(stored)):
            raise ValueError("it has the character U+0000")


class _OutOfOrder(Exception):
    """The event is not the next of its partition."""


def _texts(stored: Stored) -> Sequence[str]:
    return stored.stream, stored.type, stored.causation_id or "", stored.traceparent or ""


def _lines(path: Path) -> Iterator[FileLine]:
    return line_reader.read(path, is_exact=True, limit=LONGEST_LINE)


def _content(line: FileLine | None) -> bytes:
    """The content of a line; raises ValueError if it can't be read."""
    if line is None:
        raise ValueError("the file is empty")
    if line.error:
        raise ValueError(line.error)
    return line.content


def _in_utc(stored: Stored) -> Stored:
    """The event with its times in UTC; raises ValueError for times that aren't any."""
    if stored.occurred_at.tzinfo is UTC and stored.recorded_at.tzinfo is UTC:
        return stored
    return msgspec.structs.replace(
        stored, occurred_at=to_utc(stored.occurred_at), recorded_at=to_utc(stored.recorded_at)
    )


def _batches(events: Iterable[ArchivedEvent]) -> Iterator[list[ArchivedEvent]]:
    """Consecutive events of one partition, bounded in number and in size."""
    batch: list[ArchivedEvent] = []
    size = 0
    for event in events:
        is_full = len(batch) == _BATCH or size > _BATCH_BYTES
        if batch and (is_full or batch[0].stored.partition != event.stored.partition):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += len(event.stored.data)
    if batch:
        yield batch


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    with path.open("wb") as file:
        if path.suffix == ".gz":
            with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=_GZIP_LEVEL) as packed:
                yield cast("IO[bytes]", packed)  # typeshed does not declare it as one
        else:
            yield file
        file.flush()
        os.fsync(file.fileno())
