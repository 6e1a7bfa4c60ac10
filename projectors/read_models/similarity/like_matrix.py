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

    def __init__(self, likers: Mapping[int, set[bytes]]) -> None:
        self.row_of: dict[int, int] = {}
        self._likers: dict[int, set[bytes]] = {}
        self._liked_rows: dict[bytes, set[int]] = {}
        self._row_arrays: dict[bytes, npt.NDArray[np.int32]] = {}
        self.update(likers)

    def update(self, likers: Mapping[int, set[bytes]]) -> None:
        for movie, users in likers.items():
            row = self.row_of.setdefault(movie, len(self.row_of))
            before = self._likers.get(movie, set())
            for user in before - users:
                self._liked_rows[user].discard(row)
            for user in users - before:
                self._liked_rows.setdefault(user, set()).add(row)
            for user in before ^ users:
                self._row_arrays.pop(user, None)
            if users:
                self._likers[movie] = users
            else:
                self._likers.pop(movie, None)

    def movies(self) -> Collection[int]:
        return self._likers.keys()

    def count(self, movie: int) -> int:
        return len(self._likers.get(movie, ()))

    def counts(self) -> Vector:
        """Likes of each row's movie."""
        return np.array([self.count(movie) for movie in self.row_of], dtype=np.float64)

    def both(self, movie: int) -> Vector:
        """Common likers of a movie and each row's: one row of the sparse product."""
        rows = [self._rows_of(user) for user in self._likers.get(movie, ())]
        together = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int32)
        return np.bincount(together, minlength=len(self.row_of)).astype(np.float64)

    def _rows_of(self, user: bytes) -> npt.NDArray[np.int32]:
        rows = self._row_arrays.get(user)
        if rows is None:
            liked = self._liked_rows[user]
            rows = self._row_arrays[user] = np.fromiter(liked, dtype=np.int32, count=len(liked))
        return rows
