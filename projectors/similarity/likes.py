"""Who likes what, as far as a builder has read?"""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from projectors.similarity.neighbours import Catalogue, Vector


class Likes:
    """Everyone's likes, by movie and by person."""

    def __init__(self, who: Mapping[int, set[bytes]]) -> None:
        self._who: dict[int, set[bytes]] = {}
        self._what: dict[bytes, set[int]] = {}
        self.take(who)

    def take(self, who: Mapping[int, set[bytes]]) -> None:
        """Those who like these movies are others now."""
        for movie, users in who.items():
            before = self._who.get(movie, set())
            for user in before - users:
                self._what[user].discard(movie)
            for user in users - before:
                self._what.setdefault(user, set()).add(movie)
            if users:
                self._who[movie] = users
            else:
                self._who.pop(movie, None)

    def movies(self) -> Iterable[int]:
        """What anyone likes."""
        return self._who.keys()

    def count(self, movie: int) -> int:
        """How many like a movie."""
        return len(self._who.get(movie, ()))

    def counts(self, catalogue: Catalogue) -> Vector:
        """How many like each movie of the catalogue."""
        found = np.zeros(len(catalogue))
        for movie, users in self._who.items():
            if (row := catalogue.row_of.get(movie)) is not None:
                found[row] = len(users)
        return found

    def both(self, movie: int, catalogue: Catalogue) -> Vector:
        """How many like a movie and each of the catalogue: a row of a sparse product."""
        counted: Counter[int] = Counter()
        for user in self._who.get(movie, ()):
            counted.update(self._what[user])
        found = np.zeros(len(catalogue))
        for other, people in counted.items():
            if (row := catalogue.row_of.get(other)) is not None:
                found[row] = people
        return found
