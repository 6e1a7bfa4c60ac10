"""Who likes what, as far as a builder has read?

Movies that anyone ever liked have rows, in the order in which they came; rows never move, so what
is known of a person stays good until that person likes something else.
"""

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt

from projectors.read_models.similarity.scoring import Vector


class LikeMatrix:
    """Everyone's likes, by movie and by person."""

    def __init__(self, who: Mapping[int, set[bytes]]) -> None:
        self.row_of: dict[int, int] = {}
        self._who: dict[int, set[bytes]] = {}
        self._what: dict[bytes, set[int]] = {}
        self._rows: dict[bytes, npt.NDArray[np.int32]] = {}
        self.take(who)

    def take(self, who: Mapping[int, set[bytes]]) -> None:
        """Those who like these movies are others now."""
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
        """What anyone likes."""
        return self._who.keys()

    def count(self, movie: int) -> int:
        """How many like a movie."""
        return len(self._who.get(movie, ()))

    def counts(self) -> Vector:
        """How many like the movie of each row."""
        return np.array([self.count(movie) for movie in self.row_of], dtype=np.float64)

    def both(self, movie: int) -> Vector:
        """How many like a movie and that of each row: a row of a sparse product."""
        rows = [self._of(user) for user in self._who.get(movie, ())]
        together = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int32)
        return np.bincount(together, minlength=len(self.row_of)).astype(np.float64)

    def _of(self, user: bytes) -> npt.NDArray[np.int32]:
        found = self._rows.get(user)
        if found is None:
            what = self._what[user]
            found = self._rows[user] = np.fromiter(what, dtype=np.int32, count=len(what))
        return found
