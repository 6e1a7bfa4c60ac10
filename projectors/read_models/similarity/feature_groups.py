"""Feature groups: movies without likes, grouped by equal year and genres.

There are four times as many movies as groups, and each group is compared once.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from projectors.read_models.similarity.neighbour import Neighbour
from projectors.read_models.similarity.projection import ContentFeatures
from projectors.read_models.similarity.scoring import ContentMatrix, Vector, compare, top_rows


class GroupSelection(NamedTuple):
    """The movies to choose from in each group, and which groups have none."""

    movies: list[list[int]]
    is_empty: npt.NDArray[np.bool_]


class FeatureGroups:
    """All distinct features, and the movies with each."""

    def __init__(self, features: Mapping[int, ContentFeatures]) -> None:
        by_features: dict[ContentFeatures, list[int]] = {}
        for movie in sorted(features):
            by_features.setdefault(features[movie], []).append(movie)
        self.features = list(by_features)
        self.nth_of = {group: nth for nth, group in enumerate(self.features)}
        self.all = GroupSelection(
            list(by_features.values()), np.zeros(len(self.features), dtype=bool)
        )
        self.content = ContentMatrix(self.features).content
        """Content similarity of each group to some features."""
        self._zeros = np.zeros(len(self.features))

    def without(self, movies: Mapping[int, ContentFeatures]) -> GroupSelection:
        """Select all movies but these."""
        rest = list(self.all.movies)
        for nth in {self.nth_of[features] for features in movies.values()}:
            rest[nth] = [movie for movie in rest[nth] if movie not in movies]
        return GroupSelection(rest, np.array([not group for group in rest], dtype=bool))

    def scores(self, content: Vector) -> Vector:
        """Similarity to each group's movies, from content alone."""
        return compare(both=self._zeros, ones=0, others=self._zeros, content=content).scores

    def top(self, content: Vector, limit: int, choice: GroupSelection) -> list[Neighbour]:
        """The nearest movies of a selection, from content alone."""
        scores = np.where(choice.is_empty, 0.0, self.scores(content))
        candidates: list[tuple[float, int]] = []
        for nth in top_rows(scores, limit):
            negated = -float(scores[nth])
            if len(candidates) >= limit and negated > candidates[-1][0]:
                break
            candidates += ((negated, movie) for movie in choice.movies[nth][:limit])
        return [Neighbour(movie, -negated, 0) for negated, movie in sorted(candidates)[:limit]]
