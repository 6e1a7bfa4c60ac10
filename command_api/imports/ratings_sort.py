"""In which order do a file's ratings go into the log?

Partition by partition, in each user by user, each user's in order of time: whoever appends them has
to remember one user's at a time. A file may come in any order and at any size: it is sorted a run
at a time, runs wait in a temporary file, and are merged from there.
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
from uuid import UUID, uuid5

import numpy as np

from command_api.imports.movielens_reader import SourceRating
from command_api.ratings.decider import RateMovie
from events.partition import partition_of

# The users of MovieLens are ours under this name, whoever imports them, and however often.
_USERS = UUID("5f2a2d5e-6a40-4f4b-9d0b-6c0d1c6c7a11")

RUN = 250_000
"""Ratings that are sorted at once: 8 MB, and four times that for a moment."""
_AT_HAND = 65_536
"""Ratings of all runs together that are in memory while they are merged."""
_REMEMBERED_USERS = 10_000

_Row: TypeAlias = tuple[int, int, int, int, int, int]
"""Partition, user, time, place in the file, movie, score: they compare as they are ordered."""
_PACKED = Struct("<iqqqib")
_COLUMNS = np.dtype(
    [("partition", "<i4"), ("user", "<i8"), ("at", "<i8"), ("place", "<i8"), ("rest", "V5")]
)


def user_id(movielens_user: int) -> UUID:
    """Who a user of MovieLens is to us."""
    return uuid5(_USERS, f"movielens:{movielens_user}")


class TimedRating(NamedTuple):
    """A rating in our words, with its own time."""

    command: RateMovie
    at: datetime


class RatingsSorter:
    """All ratings of a file; what does not fit into a run is on disk until the block ends."""

    def __init__(
        self, partitions: int, *, who: Callable[[int], UUID] = user_id, run: int = RUN
    ) -> None:
        self._partitions = partitions
        self._identity = lru_cache(_REMEMBERED_USERS)(who)
        self._partition_of = lru_cache(_REMEMBERED_USERS)(self._look_up_partition)
        self._run = run
        self._rows = bytearray()
        self._aside: IO[bytes] | None = None
        self._count = self._runs_aside = 0
        self.last_at = 0
        """When the last of them was given, in seconds since 1970; 0 when there are none."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._aside is not None:
            self._aside.close()

    def __len__(self) -> int:
        return self._count

    def add(self, opinion: SourceRating, *, movie_id: int) -> None:
        """One more, in the order of the file."""
        if len(self._rows) == self._run * _PACKED.size:
            self._put_aside()
        user, at = opinion.user, opinion.at
        partition = self._partition_of(user)
        self._rows += _PACKED.pack(partition, user, at, self._count, movie_id, opinion.score)
        self._count += 1
        self.last_at = max(self.last_at, at)

    def batches(self, size: int, *, shift_seconds: int) -> Iterator[tuple[int, list[TimedRating]]]:
        """Each of one partition; all of a user are beside each other, in order of time."""
        for partition, rows in groupby(self._in_order(), key=itemgetter(0)):
            while batch := [self._rated(row, shift_seconds) for row in islice(rows, size)]:
                yield partition, batch

    def _in_order(self) -> Iterator[_Row]:
        at_once = max(1, _AT_HAND // (self._runs_aside + 1))
        aside = [self._read(nth, at_once) for nth in range(self._runs_aside)]
        return merge(*aside, _PACKED.iter_unpack(_sorted(self._rows)))

    def _put_aside(self) -> None:
        if self._aside is None:
            self._aside = TemporaryFile()  # noqa: SIM115 - closed with this
        self._aside.write(_sorted(self._rows))
        self._aside.flush()
        self._rows.clear()
        self._runs_aside += 1

    def _read(self, nth: int, at_once: int) -> Iterator[_Row]:
        """A run that was put aside, some rows at once."""
        assert self._aside is not None  # noqa: S101 - there is one
        step = at_once * _PACKED.size
        place, end = (run * self._run * _PACKED.size for run in (nth, nth + 1))
        while place < end:
            packed = os.pread(self._aside.fileno(), min(step, end - place), place)
            yield from _PACKED.iter_unpack(packed)
            place += step

    def _rated(self, row: _Row, shift_seconds: int) -> TimedRating:
        _, user, at, _, movie, score = row
        return TimedRating(
            RateMovie(self._identity(user), movie, score),
            datetime.fromtimestamp(at + shift_seconds, UTC),
        )

    def _look_up_partition(self, movielens_user: int) -> int:
        return partition_of(str(self._identity(movielens_user)), self._partitions)


def _sorted(rows: bytearray) -> bytes:
    columns = np.frombuffer(bytes(rows), _COLUMNS)
    # Who comes at the same time stays in the order of the file.
    order = np.lexsort((columns["at"], columns["user"], columns["partition"]))
    return columns[order].tobytes()
