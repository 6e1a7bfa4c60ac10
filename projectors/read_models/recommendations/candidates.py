"""Which movies may be recommended at all, and how much does the trend speak for each?

    trend = heat of the week, as a share of the hottest
          + POPULARITY x logarithm of everyone who ever rated it, as a share of the most rated
          + RECENCY x 2^(-years since it came out / 10)

The last is there for a catalogue that nobody has rated yet: then the newest movies lead.
"""

from collections.abc import Collection, Mapping, Sequence
from math import log1p, sqrt
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from projectors.read_models.recommendations.genre_affinity import WEIGHT, Liking, Trend

POPULARITY = 0.5
RECENCY = 0.02
_RECENCY_HALF_LIFE_YEARS = 10.0
_MATERIAL = 0.05
_DIGITS = 4
_NOTHING: Mapping[int, float] = MappingProxyType({})

_Vector = npt.NDArray[np.float64]


class Known(NamedTuple):
    """What is known of a movie that may be recommended."""

    year: int | None
    genres: Sequence[str]


class Candidates:
    """All movies that may be recommended, ready to be scored for one user after another."""

    def __init__(
        self,
        known: Mapping[int, Known],
        *,
        heats: Mapping[int, float],
        people: Mapping[int, int],
        year: int,
    ) -> None:
        self.movies = sorted(known)
        self.row_of = {movie: row for row, movie in enumerate(self.movies)}
        self.genres = [tuple(known[movie].genres) for movie in self.movies]
        self.trends = trends(known, heats=heats, people=people, year=year)
        self.shares = shares(known, people)
        self._total: _Vector = np.array([self.trends[movie].total for movie in self.movies])
        self._column_of = {genre: column for column, genre in enumerate(sorted(self.shares))}
        self._genres = self._weigh_genres()

    def scores(self, likings: Mapping[str, Liking]) -> _Vector:
        """Each candidate's score for someone with this taste."""
        taste = np.zeros(len(self._column_of))
        for genre, liking in likings.items():
            if genre in self._column_of:
                taste[self._column_of[genre]] = liking.amount
        return self._total * (1 + WEIGHT * (self._genres @ taste))

    def best(
        self,
        likings: Mapping[str, Liking],
        *,
        without: Collection[int],
        limit: int,
        near: Mapping[int, float] = _NOTHING,
    ) -> list[tuple[int, float]]:
        """The best candidates with their scores, best first, without some."""
        scores = self.scores(likings)
        for movie, amount in near.items():
            if movie in self.row_of:
                scores[self.row_of[movie]] += amount
        scores[[self.row_of[movie] for movie in without if movie in self.row_of]] = 0
        ordered = sorted(
            (-rounded(float(scores[row])), self.movies[row]) for row in _top(scores, limit)
        )
        return [(movie, -score) for score, movie in ordered[:limit] if score < 0]

    def _weigh_genres(self) -> _Vector:
        weighed = np.zeros((len(self.movies), len(self._column_of)))
        for row, genres in enumerate(self.genres):
            for genre in genres:
                weighed[row, self._column_of[genre]] = 1 / sqrt(len(genres))
        return weighed


def _top(scores: _Vector, limit: int) -> npt.NDArray[np.intp]:
    """The rows of the best so many, and of those that are as good as the last when rounded.

    Which of equals are in a list must not depend on whose processor added them up.
    """
    if limit >= len(scores):
        return np.arange(len(scores))
    least = np.partition(scores, -limit)[-limit]
    return np.flatnonzero(scores >= least - 2 * 10.0**-_DIGITS)


def rounded(score: float) -> float:
    """A score as it is shown."""
    return round(score, _DIGITS)


def trends(
    known: Mapping[int, Known],
    *,
    heats: Mapping[int, float],
    people: Mapping[int, int],
    year: int,
) -> dict[int, Trend]:
    """How much the trend speaks for each movie."""
    hottest = max(heats.values(), default=0.0) or 1.0
    most = log1p(max(people.values(), default=0)) or 1.0
    return {
        movie: Trend(
            heat=heats.get(movie, 0.0) / hottest,
            popularity=POPULARITY * log1p(people.get(movie, 0)) / most,
            recency=RECENCY * _recency(facts.year, year),
        )
        for movie, facts in known.items()
    }


def shares(known: Mapping[int, Known], people: Mapping[int, int]) -> dict[str, float]:
    """Each genre's share of what everyone rates; every movie counts once more, to begin with."""
    weights: dict[str, float] = {}
    for movie, facts in known.items():
        for genre in facts.genres:
            weight = (1 + people.get(movie, 0)) / sqrt(len(facts.genres))
            weights[genre] = weights.get(genre, 0.0) + weight
    whole = sum(weights.values()) or 1.0
    return {genre: weight / whole for genre, weight in weights.items()}


def is_material(before: Mapping[int, Trend], now: Mapping[int, Trend]) -> bool:
    """Whether trends moved so much that lists made of the old ones should be made again."""
    moved = sum(
        abs(_total(before.get(movie)) - _total(now.get(movie))) for movie in before.keys() | now
    )
    return moved > _MATERIAL * sum(trend.total for trend in now.values())


def _total(trend: Trend | None) -> float:
    return 0.0 if trend is None else trend.total


def _recency(year: int | None, now: int) -> float:
    """Between nothing for an unknown year and one for this year's and those to come."""
    if year is None:
        return 0.0
    return float(2.0 ** (-max(0, now - year) / _RECENCY_HALF_LIFE_YEARS))
