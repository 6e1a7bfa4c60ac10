"""Vectorised scoring: the similarity of one movie to many at once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from projectors.read_models.similarity.formula import (
    DIGITS,
    PRIOR,
    UNKNOWN_YEARS_APART,
    WORTH,
    nearness,
)
from projectors.read_models.similarity.neighbour import Neighbour
from projectors.read_models.similarity.projection import ContentFeatures

Vector = npt.NDArray[np.float64]
RowNumbers = npt.NDArray[np.intp]

_LONGEST_APART = 400


class SimilarityRow(NamedTuple):
    """One movie against many: an element for each of them."""

    scores: Vector
    both: Vector

    def neighbour(self, movie: int, row: int) -> Neighbour:
        return Neighbour(movie, float(self.scores[row]), int(self.both[row]))


class ContentMatrix:
    """Features as a matrix, ready for comparison."""

    def __init__(self, features: Sequence[ContentFeatures]) -> None:
        self._count = len(features)
        mixes = {genres: nth for nth, genres in enumerate({each.genres for each in features})}
        self._column_of = {
            genre: nth for nth, genre in enumerate(sorted({g for mix in mixes for g in mix}))
        }
        self._genres = np.zeros((len(mixes), len(self._column_of)))
        for genres, nth in mixes.items():
            self._genres[nth, [self._column_of[genre] for genre in genres]] = 1
        self._sizes = self._genres.sum(axis=1)
        self._mixes: RowNumbers = np.array([mixes[each.genres] for each in features], dtype=np.intp)
        years = [each.year for each in features]
        self._is_known = np.array([year is not None for year in years], dtype=bool)
        self._years = np.array([year or 0 for year in years], dtype=np.int64)
        self._nearness = np.array([nearness(apart) for apart in range(_LONGEST_APART)])

    def content(self, features: ContentFeatures) -> Vector:
        wanted = np.zeros(len(self._column_of))
        wanted[[self._column_of[g] for g in features.genres if g in self._column_of]] = 1
        common = self._genres @ wanted
        together = self._sizes + len(features.genres) - common
        jaccard = np.divide(common, together, out=np.zeros_like(common), where=together > 0)
        similarity: Vector = jaccard[self._mixes] * self._near(features.year)
        return similarity

    def _near(self, year: int | None) -> Vector:
        unknown = nearness(UNKNOWN_YEARS_APART)
        if year is None:
            return np.full(self._count, unknown)
        apart = np.minimum(np.abs(self._years - year), _LONGEST_APART - 1)
        return np.where(self._is_known, self._nearness[apart], unknown)


def compare(*, both: Vector, ones: int, others: Vector, content: Vector) -> SimilarityRow:
    """Similarity of one movie to many: see ``formula``."""
    scores = (both + PRIOR * WORTH * content) / (np.sqrt(ones * others) + PRIOR)
    return SimilarityRow(np.round(scores, DIGITS), both)


def top_rows(scores: Vector, limit: int) -> list[int]:
    """Rows of the highest scores, highest first, including ties with the last."""
    least = 0.0
    if limit < len(scores):
        least = float(np.partition(scores, len(scores) - limit)[-limit])
    places = np.flatnonzero((scores >= least) & (scores > 0))
    rows: list[int] = places[np.argsort(-scores[places], kind="stable")].tolist()
    return rows
