"""External merge sort of a file's ratings: by partition, user and time, in bounded memory.

In this order an import needs to remember the streams of one user only. Runs that fit into memory
are sorted, written to a temporary file and merged from there.
"""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from heapq import merge
from itertools import groupby, islice
from operator import itemgetter
from struct import Struct
from tempfile import TemporaryFile
from typing import IO, NamedTuple, Self, TypeAlias
from uuid import UUID

import numpy as np

from command_api.imports.movielens_reader import SourceRating
from command_api.ratings.decider import RateMovie
from events.recorded import partition_of

RUN = 250_000
"""Ratings sorted at once: 8 MB, and four times that while sorting."""
_MERGE_ROWS = 65_536
"""Ratings of all runs together that are in memory during the merge."""
_CACHED_USERS = 10_000

_Row: TypeAlias = tuple[int, int, int, int, int, int]
"""Partition, user, time, place in the file, movie, score: compares in the order of the sort."""
_PACKED = Struct("<iqqqib")
_COLUMNS = np.dtype(
    [("partition", "<i4"), ("user", "<i8"), ("at", "<i8"), ("place", "<i8"), ("rest", "V5")]
)


class TimeShift(NamedTuple):
    """Moves all times of a file by the same amount."""

    seconds: int = 0
    latest: int | None = None
    """A moved time is not later than this, in seconds since 1970."""

    def apply(self, at: int) -> datetime:
        moved = at + self.seconds
        return datetime.fromtimestamp(
            moved if self.latest is None else min(moved, self.latest), UTC
        )


class TimedRating(NamedTuple):
    """A command and the time at which the rating was given."""

    command: RateMovie
    at: datetime


class RatingsSorter:
    """Collects ratings and returns them sorted; full runs are on disk until the block ends."""

    def __init__(self, partitions: int, *, id_of: Callable[[int], UUID], run: int = RUN) -> None:
        self._partitions = partitions
        self._id_of = lru_cache(_CACHED_USERS)(id_of)
        self._partition_of = lru_cache(_CACHED_USERS)(self._compute_partition)
        self._run = run
        self._rows = bytearray()
        self._runs_file: IO[bytes] | None = None
        self._count = self._runs_written = 0
        self.last_at = 0
        """Time of the last rating, in seconds since 1970; 0 when there are none."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._runs_file is not None:
            self._runs_file.close()

    def __len__(self) -> int:
        return self._count

    def add(self, rating: SourceRating, *, movie_id: int) -> None:
        if len(self._rows) == self._run * _PACKED.size:
            self._write_run()
        user, at = rating.user, rating.at
        partition = self._partition_of(user)
        self._rows += _PACKED.pack(partition, user, at, self._count, movie_id, rating.score)
        self._count += 1
        self.last_at = max(self.last_at, at)

    def batches(self, size: int, shift: TimeShift) -> Iterator[tuple[int, list[TimedRating]]]:
        """Batches of one partition each; a user's ratings are adjacent, in order of time."""
        for partition, rows in groupby(self._in_order(), key=itemgetter(0)):
            while batch := [self._rated(row, shift) for row in islice(rows, size)]:
                yield partition, batch

    def _in_order(self) -> Iterator[_Row]:
        rows_at_once = max(1, _MERGE_ROWS // (self._runs_written + 1))
        runs = [self._read_run(nth, rows_at_once) for nth in range(self._runs_written)]
        return merge(*runs, _PACKED.iter_unpack(_sorted(self._rows)))

    def _write_run(self) -> None:
        if self._runs_file is None:
            self._runs_file = TemporaryFile()  # noqa: SIM115 - closed with this
        self._runs_file.write(_sorted(self._rows))
        self._runs_file.flush()
        self._rows.clear()
        self._runs_written += 1

    def _read_run(self, nth: int, rows_at_once: int) -> Iterator[_Row]:
        assert self._runs_file is not None  # noqa: S101 - a run was written
        step = rows_at_once * _PACKED.size
        place, end = (run * self._run * _PACKED.size for run in (nth, nth + 1))
        while place < end:
            packed = os.pread(self._runs_file.fileno(), min(step, end - place), place)
            yield from _PACKED.iter_unpack(packed)
            place += step

    def _rated(self, row: _Row, shift: TimeShift) -> TimedRating:
        _, user, at, _, movie, score = row
        return TimedRating(RateMovie(self._id_of(user), movie, score), shift.apply(at))

    def _compute_partition(self, movielens_user: int) -> int:
        return partition_of(str(self._id_of(movielens_user)), self._partitions)


def _sorted(rows: bytearray) -> bytes:
    columns = np.frombuffer(bytes(rows), _COLUMNS)
    # lexsort is stable: ratings of one second stay in the order of the file.
    order = np.lexsort((columns["at"], columns["user"], columns["partition"]))
    return columns[order].tobytes()
