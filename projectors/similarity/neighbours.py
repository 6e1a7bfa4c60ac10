"""Which movies are the most like one, of all there are?

The formula over the whole catalogue at once; equal scores stand in order of the movies' ids.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from projectors.similarity.formula import (
    DIGITS,
    PRIOR,
    UNKNOWN_YEARS_APART,
    WORTH,
    nearness,
)
from projectors.similarity.neighbour import Neighbour
from projectors.similarity.projection import Facts

Vector = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

_LONGEST_APART = 400


class Row(NamedTuple):
    """A movie against all: a number for each movie of the catalogue."""

    scores: Vector
    both: Vector

    def neighbour(self, movie: int, row: int) -> Neighbour:
        """What it is to the movie in a row."""
        return Neighbour(movie, float(self.scores[row]), int(self.both[row]))


class Catalogue:
    """The facts of all movies, ready to be compared with any others."""

    def __init__(self, facts: Mapping[int, Facts]) -> None:
        ids = sorted(facts)
        self.movies: npt.NDArray[np.int64] = np.array(ids, dtype=np.int64)
        self.row_of = {movie: row for row, movie in enumerate(ids)}
        mixes = {genres: nth for nth, genres in enumerate({f.genres for f in facts.values()})}
        self._column_of = {
            genre: nth for nth, genre in enumerate(sorted({g for mix in mixes for g in mix}))
        }
        self._genres = np.zeros((len(mixes), len(self._column_of)))
        for genres, nth in mixes.items():
            self._genres[nth, [self._column_of[genre] for genre in genres]] = 1
        self._sizes = self._genres.sum(axis=1)
        self._mixes: Rows = np.array([mixes[facts[movie].genres] for movie in ids], dtype=np.intp)
        years = [facts[movie].year for movie in ids]
        self._is_known = np.array([year is not None for year in years], dtype=bool)
        self._years = np.array([year or 0 for year in years], dtype=np.int64)
        self._nearness = np.array([nearness(apart) for apart in range(_LONGEST_APART)])

    def __len__(self) -> int:
        return len(self.movies)

    def content(self, facts: Facts) -> Vector:
        """What each movie has in common with these facts."""
        asked = np.zeros(len(self._column_of))
        asked[[self._column_of[g] for g in facts.genres if g in self._column_of]] = 1
        common = self._genres @ asked
        together = self._sizes + len(facts.genres) - common
        jaccard = np.divide(common, together, out=np.zeros_like(common), where=together > 0)
        found: Vector = jaccard[self._mixes] * self._near(facts.year)
        return found

    def top(self, row: Row, limit: int) -> list[Neighbour]:
        """The movies that are the most alike; such as have nothing in common are none."""
        return [row.neighbour(int(self.movies[at]), at) for at in leading(row, limit)[:limit]]

    def _near(self, year: int | None) -> Vector:
        unknown = nearness(UNKNOWN_YEARS_APART)
        if year is None:
            return np.full(len(self.movies), unknown)
        apart = np.minimum(np.abs(self._years - year), _LONGEST_APART - 1)
        return np.where(self._is_known, self._nearness[apart], unknown)


def compare(*, both: Vector, ones: int, others: Vector, content: Vector) -> Row:
    """``formula.similarity`` of one movie with all."""
    scores = (both + PRIOR * WORTH * content) / (np.sqrt(ones * others) + PRIOR)
    return Row(np.round(scores, DIGITS), both)


def leading(row: Row, limit: int) -> list[int]:
    """The places of the highest scores, highest first, and of all that equal the last of them."""
    scores = row.scores
    least = 0.0
    if limit < len(scores):
        least = float(np.partition(scores, len(scores) - limit)[-limit])
    places = np.flatnonzero((scores >= least) & (scores > 0))
    found: list[int] = places[np.argsort(-scores[places], kind="stable")].tolist()
    return found


def without(row: Row, at: int | None) -> Row:
    """The row without the movie itself."""
    if at is not None:
        row.scores[at] = 0
    return row
