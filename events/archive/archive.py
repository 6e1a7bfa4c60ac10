"""Export of the event log to an archive file, and import back into a log.

JSON lines: a header, then the events as CloudEvents, partition by partition. Encrypted fields stay
encrypted: to read them again takes the keys (``manage.py keys export``).
"""

import gzip
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby, islice
from pathlib import Path
from typing import IO, Literal, cast

import msgspec

from events import cloudevent
from events.archive.formats import FORMAT, LINE_DECODERS, ArchiveHeader, InvalidArchive
from events.log_query import events_after
from events.recorded import Stored
from events.store import EventStore
from events.store.restore import RestorableStore

_BATCH = 5000
_GZIP_LEVEL = 6  # with Python's default of 9 an export takes 1.4 times as long, for 2 % of size

_header_decoder = msgspec.json.Decoder(ArchiveHeader)


def export_log(store: EventStore, path: Path) -> Iterator[Stored]:
    """Write the log as it is now, yielding each event; the file appears once it is complete."""
    heads = list(store.heads())
    part = path.with_name(f".part-{path.name}")  # keeps the suffix, which decides on gzip
    with _open_file(part, "wb") as file:
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
    with _open_file(path, "rb") as file:
        try:
            return _header_decoder.decode(file.readline())
        except (msgspec.MsgspecError, OSError, EOFError, zlib.error) as error:
            raise InvalidArchive(f"{path} is not an archive of an event log: {error}") from error


def import_log(store: RestorableStore, path: Path) -> Iterator[int]:
    """Append the archive's missing events to the log; yields the number of events per batch.

    Of a damaged file the events before the damage are imported. Raises InvalidArchive.
    """
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
        yield _import_batch(store, batch, heads[batch[0].partition])
    if events.fault:
        raise InvalidArchive(events.fault)
    if list(store.heads()) != header.heads:
        raise InvalidArchive("The file was cut short: it ends before the last event.")


def _import_batch(store: RestorableStore, batch: Sequence[Stored], head: int) -> int:
    for stored in batch:
        if stored.offset == head:
            _check_same(store, stored)
    missing = [stored for stored in batch if stored.offset > head]
    if missing:
        store.restore(missing)
    return len(batch)


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
        self.fault: str | None = None

    def __iter__(self) -> Iterator[Stored]:
        offsets = [0] * len(self._heads)
        number, line = 1, b""
        with _open_file(self._path, "rb") as file:
            try:
                file.readline()
                for number, line in enumerate(file, start=2):
                    stored = self._decode(line)
                    offsets[stored.partition] += 1
                    if not self._is_next(stored, offsets[stored.partition]):
                        self.fault = f"Line {number} is not the next event of its partition."
                        return
                    yield stored
            except EOFError:
                self.fault = f"The file was cut short, after line {number}."
            except (gzip.BadGzipFile, zlib.error) as error:
                self.fault = f"The file is damaged after line {number}: {error}"
            except (msgspec.MsgspecError, IndexError) as error:
                self.fault = (
                    f"Line {number} is not an event of this log: {error}"
                    if line.endswith(b"\n")
                    else f"The file was cut short, in line {number}."
                )

    def _is_next(self, stored: Stored, offset: int) -> bool:
        return offset == stored.offset <= self._heads[stored.partition]


def _batches(events: Iterable[Stored]) -> Iterator[list[Stored]]:
    for _, of_partition in groupby(events, key=lambda stored: stored.partition):
        while batch := list(islice(of_partition, _BATCH)):
            yield batch


@contextmanager
def _open_file(path: Path, mode: Literal["rb", "wb"]) -> Iterator[IO[bytes]]:
    with path.open(mode) as file:
        if path.suffix == ".gz":
            with gzip.GzipFile(fileobj=file, mode=mode, compresslevel=_GZIP_LEVEL) as packed:
                yield cast("IO[bytes]", packed)  # typeshed does not declare it as one
        else:
            yield file
        if mode == "wb":
            file.flush()
            os.fsync(file.fileno())
