"""Which movies are the most like such as nobody likes?

Only years and genres tell those apart, and there are four times as many movies as different ones:
what is alike is compared once.
"""

from collections.abc import Mapping

import numpy as np

from projectors.similarity.neighbour import Neighbour
from projectors.similarity.neighbours import Catalogue, Row, compare, leading
from projectors.similarity.projection import Facts


class Kinds:
    """All different facts there are, and the movies with each."""

    def __init__(self, facts: Mapping[int, Facts]) -> None:
        self._movies: dict[Facts, list[int]] = {}
        for movie in sorted(facts):
            self._movies.setdefault(facts[movie], []).append(movie)
        self.facts = list(self._movies)
        self._catalogue = Catalogue(dict(enumerate(self.facts)))
        self._nobody = np.zeros(len(self.facts))

    def compare(self, one: Facts) -> Row:
        """Some facts against all there are."""
        content = self._catalogue.content(one)
        return compare(both=self._nobody, ones=0, others=self._nobody, content=content)

    def top(self, one: Facts, limit: int) -> list[Neighbour]:
        """The movies that are the most like these facts."""
        row = self.compare(one)
        found: list[Neighbour] = []
        for nth in leading(row, limit):
            if len(found) >= limit and row.scores[nth] < found[-1].score:
                break
            found += (row.neighbour(movie, nth) for movie in self._movies[self.facts[nth]][:limit])
        return sorted(found, key=lambda neighbour: neighbour.order)[:limit]
