"""How is the log taken away in a file, and brought back out of it?

JSON lines: first what the log was like, then its events as CloudEvents, partition by partition.
Sealed fields stay sealed: they can be read again only with the keys (``manage.py keys export``).
"""

import gzip
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby, islice
from pathlib import Path
from types import MappingProxyType
from typing import IO, Literal, Protocol, TypeAlias, cast

import msgspec

from events import cloudevent
from events.archive import v1
from events.log_query import since
from events.recorded import Stored
from events.store import EventStore

Format: TypeAlias = Literal["marquee-log.v1", "marquee-log.v2"]

FORMAT: Format = "marquee-log.v2"
_BATCH = 5000
_LEVEL = 6  # gzip's own choice; with Python's 9 an export takes 1.4 times as long, for 2 % of size


class NotThisLog(Exception):
    """The archive can't be brought into this log; the message says why."""


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """The first line."""

    format: Format
    partitions: int
    heads: list[int]


class Restorable(EventStore, Protocol):
    """A log that takes events as they were."""

    def restore(self, batch: Sequence[Stored]) -> None:
        """Put in the next events of one partition; raises NotNext when they are not."""


_READ: Mapping[Format, Callable[[bytes], Stored]] = MappingProxyType(
    {"marquee-log.v1": v1.read, "marquee-log.v2": cloudevent.unwrap}
)
_beginning = msgspec.json.Decoder(Beginning)


def write(store: EventStore, path: Path) -> Iterator[Stored]:
    """Write the log as it is now, telling each event; the file is there when all of it is."""
    heads = list(store.heads())
    part = path.with_name(f".part-{path.name}")  # of the same kind: the name's end decides
    with _opened(part, "wb") as file:
        beginning = Beginning(format=FORMAT, partitions=store.partitions, heads=heads)
        file.write(first_line(beginning))
        for partition, head in enumerate(heads):
            for stored in islice(since(store, partition, 0), head):
                file.write(cloudevent.wrap(stored) + b"\n")
                yield stored
    part.replace(path)


def first_line(said: Beginning) -> bytes:
    """What an archive begins with."""
    return msgspec.json.encode(said) + b"\n"


def beginning(path: Path) -> Beginning:
    """What the archive says of the log that it was made from. Raises NotThisLog."""
    with _opened(path, "rb") as file:
        try:
            return _beginning.decode(file.readline())
        except (msgspec.MsgspecError, OSError, EOFError, zlib.error) as error:
            raise NotThisLog(f"{path} is no archive of a log: {error}") from error


def bring_back(store: Restorable, path: Path) -> Iterator[int]:
    """Put the archive's events into the log, behind those that are already there.

    Tells how many were passed, batch by batch. What comes before a fault in the file is brought
    back. Raises NotThisLog.
    """
    said = beginning(path)
    if said.partitions != store.partitions:
        raise NotThisLog(f"It has {said.partitions} partitions, this log {store.partitions}.")
    heads = list(store.heads())
    for partition, (here, there) in enumerate(zip(heads, said.heads, strict=True)):
        if here > there:
            raise NotThisLog(f"Partition {partition} has {here} events here, {there} there.")
    lines = _Lines(path, said)
    for batch in _batches(lines):
        yield _bring_back(store, batch, heads[batch[0].partition])
    if lines.fault:
        raise NotThisLog(lines.fault)
    if list(store.heads()) != said.heads:
        raise NotThisLog("The file was cut short: it ends before the log does.")


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


class _Lines:
    """The events of an archive, up to its end or to the ``fault`` that it has."""

    def __init__(self, path: Path, said: Beginning) -> None:
        self._path = path
        self._read = _READ[said.format]
        self._heads = said.heads
        self.fault: str | None = None

    def __iter__(self) -> Iterator[Stored]:
        offsets = [0] * len(self._heads)
        number, line = 1, b""
        with _opened(self._path, "rb") as file:
            try:
                file.readline()
                for number, line in enumerate(file, start=2):
                    stored = self._read(line)
                    offsets[stored.partition] += 1
                    if (
                        not offsets[stored.partition]
                        == stored.offset
                        <= self._heads[stored.partition]
                    ):
                        self.fault = f"Line {number} is not the next event of its partition."
                        return
                    yield stored
            except EOFError:
                self.fault = f"The file was cut short, after line {number}."
            except (gzip.BadGzipFile, zlib.error) as error:
                self.fault = f"The file is damaged after line {number}: {error}"
            except (msgspec.MsgspecError, IndexError) as error:
                self.fault = (
                    f"Line {number} is no event of this log: {error}"
                    if line.endswith(b"\n")
                    else f"The file was cut short, in line {number}."
                )


def _batches(events: Iterable[Stored]) -> Iterator[list[Stored]]:
    for _, of_partition in groupby(events, key=lambda stored: stored.partition):
        while batch := list(islice(of_partition, _BATCH)):
            yield batch


@contextmanager
def _opened(path: Path, mode: Literal["rb", "wb"]) -> Iterator[IO[bytes]]:
    with path.open(mode) as file:
        if path.suffix == ".gz":
            with gzip.GzipFile(fileobj=file, mode=mode, compresslevel=_LEVEL) as packed:
                yield cast("IO[bytes]", packed)  # it is one, but typeshed has no word for it
        else:
            yield file
        if mode == "wb":
            file.flush()
            os.fsync(file.fileno())
