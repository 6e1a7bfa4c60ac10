"""Neighbours of liked movies.

They are compared with other liked movies by the whole formula. Movies without likes differ in year
and genres only, and are compared once for each feature group: a quarter of the work, or less.
"""

from collections.abc import Mapping

import numpy as np

from projectors.read_models.similarity.like_matrix import LikeMatrix
from projectors.read_models.similarity.projection import ContentFeatures
from projectors.read_models.similarity.scoring import (
    RowNumbers,
    SimilarityRow,
    Vector,
    compare,
    top_rows,
)
from projectors.read_models.similarity.types import Neighbour
from projectors.read_models.similarity.unrated_movies import FeatureGroups


class RatedMovies:
    """All known movies that have likes."""

    def __init__(
        self, likes: LikeMatrix, facts: Mapping[int, ContentFeatures], kinds: FeatureGroups
    ) -> None:
        self.movies = {movie for movie in likes.movies() if movie in facts}
        self._likes = likes
        self._facts = facts
        self._kinds = kinds
        self._others = kinds.without({movie: facts[movie] for movie in self.movies})
        self._counts = likes.counts()
        self._of_rows = list(likes.row_of)
        self._is_in = np.array([movie in self.movies for movie in self._of_rows], dtype=bool)
        self._kind_of: RowNumbers = np.array(
            [kinds.nth_of[facts[movie]] if movie in facts else 0 for movie in self._of_rows],
            dtype=np.intp,
        )

    def compare(self, movie: int) -> SimilarityRow:
        """Similarity of a known movie to each row's; 0 for rows not in here."""
        return self._compare(movie, self._kinds.content(self._facts[movie]))

    def top(self, movie: int, limit: int) -> list[Neighbour]:
        """The nearest movies of one, with or without likes."""
        content = self._kinds.content(self._facts[movie])
        row = self._compare(movie, content)
        found = [row.neighbour(self._of_rows[at], at) for at in top_rows(row.scores, limit)]
        found += self._kinds.top(content, limit, self._others)
        return sorted(found, key=lambda neighbour: neighbour.order)[:limit]

    def _compare(self, movie: int, content: Vector) -> SimilarityRow:
        row = compare(
            both=self._likes.both(movie),
            ones=self._likes.count(movie),
            others=self._counts,
            content=content[self._kind_of],
        )
        row.scores[~self._is_in] = 0
        if (itself := self._likes.row_of.get(movie)) is not None:
            row.scores[itself] = 0
        return row
