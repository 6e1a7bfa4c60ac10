"""In which order do a file's ratings go into the log?"""

from array import array
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID, uuid5

import numpy as np

from command_api.imports.movielens_files import Opinion
from command_api.ratings.decider import RateMovie
from events.partition import partition_of

# The users of MovieLens are ours under this name, whoever imports them, and however often.
_USERS = UUID("5f2a2d5e-6a40-4f4b-9d0b-6c0d1c6c7a11")


def user_id(movielens_user: int) -> UUID:
    """Who a user of MovieLens is to us."""
    return uuid5(_USERS, f"movielens:{movielens_user}")


class Rated(NamedTuple):
    """A rating in our words, with its own time."""

    command: RateMovie
    at: datetime


class Ratings:
    """All ratings of a file in columns, 40 bytes each: 25 million of them are a gigabyte."""

    def __init__(self, partitions: int, *, who: Callable[[int], UUID] = user_id) -> None:
        self._partitions = partitions
        self._who = who
        self._users: dict[int, tuple[UUID, int]] = {}
        self._partition = array("q")
        self._user = array("q")
        self._movie = array("q")
        self._score = array("q")
        self._at = array("q")

    def __len__(self) -> int:
        return len(self._at)

    @property
    def last_at(self) -> int:
        """When the last of them was given, in seconds since 1970; 0 when there are none."""
        return max(self._at, default=0)

    def add(self, opinion: Opinion, *, movie_id: int) -> None:
        """One more, in the order of the file."""
        self._partition.append(self._user_of(opinion.user)[1])
        self._user.append(opinion.user)
        self._movie.append(movie_id)
        self._score.append(opinion.score)
        self._at.append(opinion.at)

    def batches(self, size: int, *, shift_seconds: int) -> Iterator[tuple[int, list[Rated]]]:
        """Partition by partition in order of time; at one time, in the order of the file."""
        partition = np.asarray(self._partition)
        order = np.lexsort((np.asarray(self._at), partition))
        ends = np.flatnonzero(np.diff(partition[order])) + 1
        for part in np.split(order, ends):
            for start in range(0, len(part), size):
                places = part[start : start + size].tolist()
                batch = [self._rated(place, shift_seconds) for place in places]
                yield self._partition[places[0]], batch

    def _rated(self, place: int, shift_seconds: int) -> Rated:
        user, _ = self._users[self._user[place]]
        return Rated(
            RateMovie(user, self._movie[place], self._score[place]),
            datetime.fromtimestamp(self._at[place] + shift_seconds, UTC),
        )

    def _user_of(self, movielens_user: int) -> tuple[UUID, int]:
        known = self._users.get(movielens_user)
        if known is None:
            identity = self._who(movielens_user)
            known = identity, partition_of(str(identity), self._partitions)
            self._users[movielens_user] = known
        return known
