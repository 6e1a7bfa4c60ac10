"""Liked movies: the neighbours of each movie with likes.

A liked movie is compared with other liked movies by the whole formula. Movies without likes differ
in year and genres only, so each feature group is compared once: a quarter of the work, or less.
"""

from collections.abc import Mapping

import numpy as np

from projectors.read_models.similarity.feature_groups import FeatureGroups
from projectors.read_models.similarity.like_matrix import LikeMatrix
from projectors.read_models.similarity.neighbour import Neighbour
from projectors.read_models.similarity.projection import ContentFeatures
from projectors.read_models.similarity.scoring import (
    RowNumbers,
    SimilarityRow,
    Vector,
    compare,
    top_rows,
)


class LikedMovies:
    """All known movies that have likes."""

    def __init__(
        self, likes: LikeMatrix, features: Mapping[int, ContentFeatures], groups: FeatureGroups
    ) -> None:
        self.movies = {movie for movie in likes.movies() if movie in features}
        self._likes = likes
        self._features = features
        self._groups = groups
        self._others = groups.without({movie: features[movie] for movie in self.movies})
        self._counts = likes.counts()
        self._of_rows = list(likes.row_of)
        self._is_known = np.array([movie in self.movies for movie in self._of_rows], dtype=bool)
        self._group_of: RowNumbers = np.array(
            [groups.nth_of[features[movie]] if movie in features else 0 for movie in self._of_rows],
            dtype=np.intp,
        )

    def compare(self, movie: int) -> SimilarityRow:
        """Similarity of a known movie to each row's; 0 for movies that are not known."""
        return self._compare(movie, self._groups.content(self._features[movie]))

    def top(self, movie: int, limit: int) -> list[Neighbour]:
        """The nearest movies of one, with or without likes."""
        content = self._groups.content(self._features[movie])
        row = self._compare(movie, content)
        candidates = [row.neighbour(self._of_rows[at], at) for at in top_rows(row.scores, limit)]
        candidates += self._groups.top(content, limit, self._others)
        return sorted(candidates, key=lambda neighbour: neighbour.order)[:limit]

    def _compare(self, movie: int, content: Vector) -> SimilarityRow:
        row = compare(
            both=self._likes.both(movie),
            ones=self._likes.count(movie),
            others=self._counts,
            content=content[self._group_of],
        )
        row.scores[~self._is_known] = 0
        if (itself := self._likes.row_of.get(movie)) is not None:
            row.scores[itself] = 0
        return row
