"""Like matrix: sparse, movies by users, in memory.

A movie has a row from its first like on, in order of arrival. Rows never move, so a user's row
numbers stay valid until they like something else.
"""

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt

from projectors.read_models.similarity.scoring import Vector


class LikeMatrix:
    """All likes, by movie and by user."""

    def __init__(self, who: Mapping[int, set[bytes]]) -> None:
        self.row_of: dict[int, int] = {}
        self._who: dict[int, set[bytes]] = {}
        self._what: dict[bytes, set[int]] = {}
        self._rows: dict[bytes, npt.NDArray[np.int32]] = {}
        self.take(who)

    def take(self, who: Mapping[int, set[bytes]]) -> None:
        """Set the likers of some movies."""
        for movie, users in who.items():
            row = self.row_of.setdefault(movie, len(self.row_of))
            before = self._who.get(movie, set())
            for user in before - users:
                self._what[user].discard(row)
            for user in users - before:
                self._what.setdefault(user, set()).add(row)
            for user in before ^ users:
                self._rows.pop(user, None)
            if users:
                self._who[movie] = users
            else:
                self._who.pop(movie, None)

    def movies(self) -> Collection[int]:
        """Movies with any likes."""
        return self._who.keys()

    def count(self, movie: int) -> int:
        return len(self._who.get(movie, ()))

    def counts(self) -> Vector:
        """Likes of each row's movie."""
        return np.array([self.count(movie) for movie in self.row_of], dtype=np.float64)

    def both(self, movie: int) -> Vector:
        """Common likers of a movie and each row's: one row of the sparse product."""
        rows = [self._of(user) for user in self._who.get(movie, ())]
        together = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int32)
        return np.bincount(together, minlength=len(self.row_of)).astype(np.float64)

    def _of(self, user: bytes) -> npt.NDArray[np.int32]:
        found = self._rows.get(user)
        if found is None:
            what = self._what[user]
            found = self._rows[user] = np.fromiter(what, dtype=np.int32, count=len(what))
        return found
