"""Incremental update of neighbour lists after likes or movies changed.

Touched movies are inserted in the lists of others. Only a list from which a movie dropped is
rebuilt, because one from outside may enter. The result equals that of a full build.
"""

from collections.abc import Collection, Iterable, Mapping
from math import inf
from typing import NamedTuple

import numpy as np

from projectors.read_models.similarity.feature_groups import FeatureGroups
from projectors.read_models.similarity.formula import LIST
from projectors.read_models.similarity.like_matrix import LikeMatrix
from projectors.read_models.similarity.liked_movies import LikedMovies
from projectors.read_models.similarity.neighbour import Neighbour, merge_neighbours
from projectors.read_models.similarity.projection import ContentFeatures
from projectors.read_models.similarity.scoring import SimilarityRow

# Above this, inserting in the lists of others takes longer than rebuilding all.
_FEW = 50
# Finding the lists that 500 new movies enter takes 0.3 s, rebuilding those of 10,000 groups 4 s.
_FEW_NEW = 1000


class ChangedLists(NamedTuple):
    """The lists that must be written."""

    own: Collection[int]
    """Movies with likes."""
    alike: Collection[ContentFeatures]
    """Features of movies without likes."""


class NeighbourLists:
    """All neighbour lists, and their inputs."""

    def __init__(
        self, features: Mapping[int, ContentFeatures], likers: Mapping[int, set[bytes]]
    ) -> None:
        self.own: dict[int, list[Neighbour]] = {}
        self.alike: dict[ContentFeatures, list[Neighbour]] = {}
        self._features = dict(features)
        self._likes = LikeMatrix(likers)
        self._groups = FeatureGroups(self._features)
        self._liked = LikedMovies(self._likes, self._features, self._groups)
        self._build_own(self._liked.movies)
        self._build_alike(set(self._features.values()))

    def update(
        self, features: Mapping[int, ContentFeatures], likers: Mapping[int, set[bytes]]
    ) -> ChangedLists:
        """Set features and likers of touched movies; return which lists changed."""
        self._likes.update(likers)
        if features:
            self._features |= features
            self._groups = FeatureGroups(self._features)
        self._liked = LikedMovies(self._likes, self._features, self._groups)
        touched = {movie for movie in {*features, *likers} if movie in self._features}
        if len(touched) > _FEW:
            own = self._build_own(self._liked.movies | self.own.keys())
        else:
            rows = {movie: self._liked.compare(movie) for movie in sorted(touched)}
            own = self._build_own(touched) | self._insert_into_others(rows)
        return ChangedLists(own, self._update_groups(features))

    # ------------------------------------------------------------------------------ liked movies

    def _build_own(self, movies: Iterable[int]) -> set[int]:
        built = set(movies)
        for movie in built:
            if movie in self._liked.movies:
                self.own[movie] = self._liked.top(movie, LIST)
            else:
                self.own.pop(movie, None)
        return built

    def _insert_into_others(self, rows: Mapping[int, SimilarityRow]) -> set[int]:
        others = self._with_any(rows) | self._better_than_last(rows)
        to_rebuild: set[int] = set()
        for movie in others:
            at = self._likes.row_of[movie]
            changed = {touched: row.neighbour(touched, at) for touched, row in rows.items()}
            after = merge_neighbours(self.own[movie], changed, LIST)
            if after is None:
                to_rebuild.add(movie)
            else:
                self.own[movie] = after
        self._build_own(to_rebuild)
        return others

    def _with_any(self, rows: Mapping[int, SimilarityRow]) -> set[int]:
        """Movies that have any of the touched in their lists."""
        return {
            movie
            for movie, neighbours in self.own.items()
            if movie not in rows and any(neighbour.movie in rows for neighbour in neighbours)
        }

    def _better_than_last(self, rows: Mapping[int, SimilarityRow]) -> set[int]:
        """Movies to which a touched one is nearer than the last in their lists."""
        lasts = {movie: _last(neighbours, LIST) for movie, neighbours in self.own.items()}
        of_rows = np.array([lasts.get(movie, inf) for movie in self._likes.row_of])
        movies = np.array(list(self._likes.row_of), dtype=np.int64)
        better: set[int] = set()
        for row in rows.values():
            better.update(movies[row.scores >= of_rows].tolist())
        return better - rows.keys()

    # ------------------------------------------------------------------------------ the others

    def _update_groups(self, features: Mapping[int, ContentFeatures]) -> set[ContentFeatures]:
        """Rebuild the lists of changed feature groups; return which changed."""
        if not features:
            return set()
        current = set(self._features.values())
        gone = self.alike.keys() - current
        for group in gone:
            del self.alike[group]
        changed = current if len(features) > _FEW_NEW else self._near(features, current)
        self._build_alike(changed)
        return changed | gone

    def _near(
        self, features: Mapping[int, ContentFeatures], current: set[ContentFeatures]
    ) -> set[ContentFeatures]:
        changed = {
            group
            for group in current
            if group not in self.alike or any(n.movie in features for n in self.alike[group])
        }
        lasts = np.array(
            [
                inf if group in changed else _last(self.alike[group], LIST + 1)
                for group in self._groups.features
            ]
        )
        for movie in features:
            scores = self._groups.scores(self._groups.content(self._features[movie]))
            better = np.flatnonzero((scores >= lasts) & (scores > 0))
            changed.update(self._groups.features[nth] for nth in better.tolist())
        return changed

    def _build_alike(self, groups: Iterable[ContentFeatures]) -> None:
        for group in groups:  # one more: a movie is in its own group's list
            content = self._groups.content(group)
            self.alike[group] = self._groups.top(content, LIST + 1, self._groups.all)


def _last(neighbours: list[Neighbour], most: int) -> float:
    """Score that a movie must reach to enter a list of ``most``; near zero while there is room."""
    return neighbours[-1].score if len(neighbours) >= most else 1e-9
