"""Incremental update of neighbour lists after likes or movies changed.

Touched movies are inserted in the lists of others. Only a list from which a movie dropped is
rebuilt, because one from outside may enter. The result equals that of a full build.
"""

from collections.abc import Collection, Iterable, Mapping
from math import inf
from typing import NamedTuple

import numpy as np

from projectors.read_models.similarity.formula import LIST
from projectors.read_models.similarity.like_matrix import LikeMatrix
from projectors.read_models.similarity.projection import ContentFeatures
from projectors.read_models.similarity.rated_movies import RatedMovies
from projectors.read_models.similarity.scoring import SimilarityRow
from projectors.read_models.similarity.types import Neighbour, merge_neighbours
from projectors.read_models.similarity.unrated_movies import FeatureGroups

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

    def __init__(self, facts: Mapping[int, ContentFeatures], who: Mapping[int, set[bytes]]) -> None:
        self.own: dict[int, list[Neighbour]] = {}
        self.alike: dict[ContentFeatures, list[Neighbour]] = {}
        self._facts = dict(facts)
        self._likes = LikeMatrix(who)
        self._kinds = FeatureGroups(self._facts)
        self._liked = RatedMovies(self._likes, self._facts, self._kinds)
        self._make_own(self._liked.movies)
        self._make_alike(set(self._facts.values()))

    def take(
        self, facts: Mapping[int, ContentFeatures], who: Mapping[int, set[bytes]]
    ) -> ChangedLists:
        """Set features and likers of touched movies; return which lists changed."""
        self._likes.take(who)
        if facts:
            self._facts |= facts
            self._kinds = FeatureGroups(self._facts)
        self._liked = RatedMovies(self._likes, self._facts, self._kinds)
        touched = {movie for movie in {*facts, *who} if movie in self._facts}
        if len(touched) > _FEW:
            own = self._make_own(self._liked.movies | self.own.keys())
        else:
            rows = {movie: self._liked.compare(movie) for movie in sorted(touched)}
            own = self._make_own(touched) | self._put_into_others(rows)
        return ChangedLists(own, self._take_facts(facts))

    # ------------------------------------------------------------------------------ liked movies

    def _make_own(self, movies: Iterable[int]) -> set[int]:
        made = set(movies)
        for movie in made:
            if movie in self._liked.movies:
                self.own[movie] = self._liked.top(movie, LIST)
            else:
                self.own.pop(movie, None)
        return made

    def _put_into_others(self, rows: Mapping[int, SimilarityRow]) -> set[int]:
        others = self._with_any(rows) | self._better_than_last(rows)
        anew: set[int] = set()
        for movie in others:
            at = self._likes.row_of[movie]
            changed = {one: row.neighbour(one, at) for one, row in rows.items()}
            after = merge_neighbours(self.own[movie], changed, LIST)
            if after is None:
                anew.add(movie)
            else:
                self.own[movie] = after
        self._make_own(anew)
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

    def _take_facts(self, facts: Mapping[int, ContentFeatures]) -> set[ContentFeatures]:
        """Rebuild the lists of changed feature groups; return which changed."""
        if not facts:
            return set()
        there = set(self._facts.values())
        gone = self.alike.keys() - there
        for one in gone:
            del self.alike[one]
        made = there if len(facts) > _FEW_NEW else self._near(facts, there)
        self._make_alike(made)
        return made | gone

    def _near(
        self, facts: Mapping[int, ContentFeatures], there: set[ContentFeatures]
    ) -> set[ContentFeatures]:
        made = {
            one
            for one in there
            if one not in self.alike or any(n.movie in facts for n in self.alike[one])
        }
        lasts = np.array(
            [inf if one in made else _last(self.alike[one], LIST + 1) for one in self._kinds.facts]
        )
        for movie in facts:
            scores = self._kinds.scores(self._kinds.content(self._facts[movie]))
            better = np.flatnonzero((scores >= lasts) & (scores > 0))
            made.update(self._kinds.facts[nth] for nth in better.tolist())
        return made

    def _make_alike(self, made: Iterable[ContentFeatures]) -> None:
        for one in made:  # one more: a movie is in its own group's list
            content = self._kinds.content(one)
            self.alike[one] = self._kinds.top(content, LIST + 1, self._kinds.all)


def _last(neighbours: list[Neighbour], most: int) -> float:
    """Score that a movie must reach to enter a list of ``most``; near zero while there is room."""
    return neighbours[-1].score if len(neighbours) >= most else 1e-9
