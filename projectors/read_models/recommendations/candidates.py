"""Candidate scoring: trend of each candidate, and the best for a user's genre affinities.

    trend = heat of the week, as a share of the hottest
          + POPULARITY x logarithm of its ratings ever, as a share of the most rated
          + RECENCY x 2^(-years since it came out / 10)

and for a movie that nobody rated, but that has a prominence, in place of the last term

          + RECENCY + PROMINENCE x prominence / 100

Both are for a catalogue without ratings: there the most prominent movies lead, then the newest. The
whole is less than the popularity of a single rating, while the most rated movie has fewer than
100,000.
"""

from collections.abc import Collection, Mapping
from math import log1p, sqrt
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from projectors.read_models.movies.read_model import MovieFeatures
from projectors.read_models.recommendations.genre_affinity import WEIGHT, GenreAffinity, TrendScore

POPULARITY = 0.5
RECENCY = 0.02
PROMINENCE = 0.01
_RECENCY_HALF_LIFE_YEARS = 10.0
_MOST_PROMINENT = 100
_MATERIAL = 0.05
_DIGITS = 4
_NOTHING: Mapping[int, float] = MappingProxyType({})

_Vector = npt.NDArray[np.float64]


class Candidates:
    """All candidates as vectors, to be scored for one user after another."""

    def __init__(
        self,
        known: Mapping[int, MovieFeatures],
        *,
        heats: Mapping[int, float],
        rating_counts: Mapping[int, int],
        year: int,
    ) -> None:
        self.movies = sorted(known)
        self.row_of = {movie: row for row, movie in enumerate(self.movies)}
        self.genres = [tuple(known[movie].genres) for movie in self.movies]
        self.trends = trend_scores(known, heats=heats, rating_counts=rating_counts, year=year)
        self.shares = genre_shares(known, rating_counts)
        self._total: _Vector = np.array([self.trends[movie].total for movie in self.movies])
        self._column_of = {genre: column for column, genre in enumerate(sorted(self.shares))}
        self._genres = self._weigh_genres()

    def scores(self, affinities: Mapping[str, GenreAffinity]) -> _Vector:
        taste = np.zeros(len(self._column_of))
        for genre, affinity in affinities.items():
            if genre in self._column_of:
                taste[self._column_of[genre]] = affinity.amount
        return self._total * (1 + WEIGHT * (self._genres @ taste))

    def best(
        self,
        affinities: Mapping[str, GenreAffinity],
        *,
        without: Collection[int],
        limit: int,
        neighbour_scores: Mapping[int, float] = _NOTHING,
    ) -> list[tuple[int, float]]:
        """The best candidates with their scores, best first."""
        scores = self.scores(affinities)
        for movie, amount in neighbour_scores.items():
            if movie in self.row_of:
                scores[self.row_of[movie]] += amount
        scores[[self.row_of[movie] for movie in without if movie in self.row_of]] = 0
        ordered = sorted(
            (-round_score(float(scores[row])), self.movies[row]) for row in _top(scores, limit)
        )
        return [(movie, -score) for score, movie in ordered[:limit] if score < 0]

    def _weigh_genres(self) -> _Vector:
        weighed = np.zeros((len(self.movies), len(self._column_of)))
        for row, genres in enumerate(self.genres):
            for genre in genres:
                weighed[row, self._column_of[genre]] = 1 / sqrt(len(genres))
        return weighed


def _top(scores: _Vector, limit: int) -> npt.NDArray[np.intp]:
    """Rows of the best scores, including those equal to the last when rounded.

    Which of equal movies is in a list must not depend on the order of a processor's additions.
    """
    if limit >= len(scores):
        return np.arange(len(scores))
    least = np.partition(scores, -limit)[-limit]
    return np.flatnonzero(scores >= least - 2 * 10.0**-_DIGITS)


def round_score(score: float) -> float:
    return round(score, _DIGITS)


def trend_scores(
    known: Mapping[int, MovieFeatures],
    *,
    heats: Mapping[int, float],
    rating_counts: Mapping[int, int],
    year: int,
) -> dict[int, TrendScore]:
    def prominence(movie: int, points: int) -> float:
        is_rated = movie in rating_counts or movie in heats
        if is_rated or not points:
            return 0.0
        missing_recency = 1.0 - _recency(known[movie].year, year)
        return RECENCY * missing_recency + PROMINENCE * points / _MOST_PROMINENT

    hottest = max(heats.values(), default=0.0) or 1.0
    most = log1p(max(rating_counts.values(), default=0)) or 1.0
    return {
        movie: TrendScore(
            heat=heats.get(movie, 0.0) / hottest,
            popularity=POPULARITY * log1p(rating_counts.get(movie, 0)) / most,
            recency=RECENCY * _recency(facts.year, year),
            prominence=prominence(movie, facts.prominence),
        )
        for movie, facts in known.items()
    }


def genre_shares(
    known: Mapping[int, MovieFeatures], rating_counts: Mapping[int, int]
) -> dict[str, float]:
    """Share of each genre in all ratings; each movie has one rating more, as a prior."""
    weights: dict[str, float] = {}
    for movie, facts in known.items():
        for genre in facts.genres:
            weight = (1 + rating_counts.get(movie, 0)) / sqrt(len(facts.genres))
            weights[genre] = weights.get(genre, 0.0) + weight
    whole = sum(weights.values()) or 1.0
    return {genre: weight / whole for genre, weight in weights.items()}


def is_material_change(before: Mapping[int, TrendScore], now: Mapping[int, TrendScore]) -> bool:
    """Whether trends moved so much that lists should be rebuilt."""
    moved = sum(
        abs(_total(before.get(movie)) - _total(now.get(movie))) for movie in before.keys() | now
    )
    return moved > _MATERIAL * sum(trend.total for trend in now.values())


def _total(trend: TrendScore | None) -> float:
    return 0.0 if trend is None else trend.total


def _recency(year: int | None, now: int) -> float:
    """Between 0, for an unknown year, and 1, for this year and later."""
    if year is None:
        return 0.0
    return float(2.0 ** (-max(0, now - year) / _RECENCY_HALF_LIFE_YEARS))
