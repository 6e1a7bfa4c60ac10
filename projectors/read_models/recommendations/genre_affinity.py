"""Genre affinity of a user, and the reasons of a score.

    evidence(genre) = PREFERENCE, if the user prefers the genre
                    + sum over rated movies of the genre: weight(score) / sqrt(genres of the movie)
    affinity(genre) = evidence, not below zero, as a share of all evidence
                      / sqrt(the genre's share of all ratings)
    affinity(movie) = WEIGHT x sum over its genres of affinity / sqrt(genres of the movie)
    score(movie)    = trend x (1 + affinity) + neighbour score (ranking.py)

A favourite counts as much as the highest score. Dividing by the root of the genre's share is half a
lift: without it Drama, a quarter of all ratings, would be everyone's favourite, and with a whole
lift one film noir would decide a list. All terms add up, so the part of each preference and each
rated movie in a score is known exactly.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from math import fsum, sqrt
from operator import itemgetter
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

import msgspec

WEIGHT = 3.0
_PREFERENCE = 2.0
_PRIOR = 1.0
"""Added to all evidence: with few ratings, the trend counts more."""
_LEAST_SHARE = 0.02

# Measured for 1..5 stars: 0, .2, .6, 1, 1.2; a disliked movie must never add. Half stars are
# interpolated, and the lowest scores count against a genre.
WEIGHTS = {1: -0.4, 2: -0.2, 3: 0.0, 4: 0.2, 5: 0.4, 6: 0.6, 7: 0.8, 8: 1.0, 9: 1.1, 10: 1.2}

FAVOURITE = WEIGHTS[10]

MAX_REASONS = 4
"""Strongest first."""
_LEAST = 0.01

Genres: TypeAlias = Mapping[int, Sequence[str]]


class GenreAffinity(NamedTuple):
    """Affinity for a genre; ``movie`` is the rated movie that contributed most."""

    amount: float
    movie: int | None = None
    movie_share: float = 0.0


class TrendScore(NamedTuple):
    """The parts of a movie's trend, the same for every user."""

    heat: float
    popularity: float
    recency: float
    prominence: float = 0.0

    @property
    def total(self) -> float:
        return self.heat + self.popularity + self.recency + self.prominence


class RecommendationReason(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reason and its share of the score."""

    because: Literal["rated", "favourite", "genre", "trending", "popular"]
    share: float
    movie: int | None = None
    title: str | None = None
    """The title of ``movie``."""
    genre: str | None = None


class Explanation(NamedTuple):
    """Shares of trend x (1 + affinity); that of the trend itself is ``of_trend``."""

    of_trend: float
    by_genre: Mapping[str, float]
    by_movie: Mapping[int, float]


class ReasonContext(NamedTuple):
    """Titles and favourites, by which a movie becomes a reason."""

    titles: Mapping[int, str] = MappingProxyType({})
    favourites: Collection[int] = ()

    def of_movie(self, movie: int, share: float) -> RecommendationReason:
        because: Literal["rated", "favourite"] = (
            "favourite" if movie in self.favourites else "rated"
        )
        return RecommendationReason(because, share, movie=movie, title=self.titles.get(movie))


_Share: TypeAlias = tuple[float, str | int]
"""A share of the score, and its source: "trending", "popular", a movie or a genre.

A plain tuple, because a list has hundreds."""


class _Evidence(msgspec.Struct):
    preference: float = 0.0
    by_movie: dict[int, float] = msgspec.field(default_factory=dict)

    def affinity(self) -> GenreAffinity:
        """Total evidence, the movie that contributed most, and its share of the positive part."""
        total = self.preference + sum(self.by_movie.values())
        positive = {movie: weight for movie, weight in self.by_movie.items() if weight > 0}
        if total <= 0 or not positive:
            return GenreAffinity(max(0.0, total))
        movie = max(positive, key=lambda candidate: (positive[candidate], -candidate))
        return GenreAffinity(
            total, movie, positive[movie] / (self.preference + sum(positive.values()))
        )


def genre_affinities(
    ratings: Mapping[int, int],
    preferred: Iterable[str],
    *,
    genres: Genres,
    shares: Mapping[str, float],
    favourites: Collection[int] = (),
) -> dict[str, GenreAffinity]:
    """Return the affinities by genre; movies of unknown genres contribute nothing."""
    gathered = _gather_evidence(rating_weights(ratings, favourites), preferred, genres)
    affinities = {genre: evidence.affinity() for genre, evidence in gathered.items()}
    total = _PRIOR + fsum(affinity.amount for affinity in affinities.values())
    return {
        genre: affinity._replace(amount=affinity.amount / total / _lift(shares.get(genre, 0.0)))
        for genre, affinity in affinities.items()
        if affinity.amount > 0
    }


def rating_weights(
    ratings: Mapping[int, int], favourites: Collection[int] = ()
) -> dict[int, float]:
    """Return movie -> weight of the user's score or favourite."""
    weights = {movie: WEIGHTS[score] for movie, score in ratings.items()}
    return weights | {movie: max(FAVOURITE, weights.get(movie, 0.0)) for movie in favourites}


def movie_affinity(genres: Sequence[str], affinities: Mapping[str, GenreAffinity]) -> float:
    """Affinity for a movie of these genres."""
    return sum(_by_genre(genres, affinities).values())


def explain(genres: Sequence[str], affinities: Mapping[str, GenreAffinity]) -> Explanation:
    """Explain the score of any movie of these genres."""
    amounts = _by_genre(genres, affinities)
    total = 1 + sum(amounts.values())
    by_genre: dict[str, float] = {}
    by_movie: dict[int, float] = {}
    for genre, amount in amounts.items():
        affinity = affinities[genre]
        by_genre[genre] = amount * (1 - affinity.movie_share) / total
        if affinity.movie is not None:
            share = amount * affinity.movie_share / total
            by_movie[affinity.movie] = by_movie.get(affinity.movie, 0.0) + share
    return Explanation(1 / total, by_genre, by_movie)


def reasons(
    explanation: Explanation,
    trend: TrendScore,
    neighbour_parts: Mapping[int, float] = MappingProxyType({}),
    context: ReasonContext = ReasonContext(),  # noqa: B008 - a value that never changes
) -> tuple[RecommendationReason, ...]:
    """The strongest reasons of a score; their shares never exceed 1 in sum."""
    of_taste = trend.total / explanation.of_trend
    total = of_taste + sum(neighbour_parts.values())
    if total <= 0:
        return ()
    part = of_taste / total
    by_movie = {movie: amount / total for movie, amount in neighbour_parts.items()}
    for movie, share in explanation.by_movie.items():
        by_movie[movie] = by_movie.get(movie, 0.0) + share * part
    shares: list[_Share] = [
        (trend.heat / total, "trending"),
        (trend.popularity / total, "popular"),
        *[(share * part, genre) for genre, share in explanation.by_genre.items()],
        *[(share, movie) for movie, share in by_movie.items()],
    ]
    shares.sort(key=itemgetter(0), reverse=True)
    return tuple([_reason(*each, context) for each in shares[:MAX_REASONS] if each[0] >= _LEAST])


def _gather_evidence(
    rating_weights: Mapping[int, float], preferred: Iterable[str], genres: Genres
) -> dict[str, _Evidence]:
    evidence: dict[str, _Evidence] = {}
    for genre in preferred:
        evidence.setdefault(genre, _Evidence()).preference = _PREFERENCE
    for movie in sorted(rating_weights):
        of_movie = genres.get(movie, ())
        for genre in of_movie:
            weight = rating_weights[movie] / sqrt(len(of_movie))
            evidence.setdefault(genre, _Evidence()).by_movie[movie] = weight
    return evidence


def _lift(share: float) -> float:
    return sqrt(max(share, _LEAST_SHARE))


def _by_genre(genres: Sequence[str], affinities: Mapping[str, GenreAffinity]) -> dict[str, float]:
    return {
        genre: WEIGHT * affinities[genre].amount / sqrt(len(genres))
        for genre in genres
        if genre in affinities
    }


def _reason(amount: float, of: str | int, context: ReasonContext) -> RecommendationReason:
    """Shares are rounded down, so that their sum never exceeds 1."""
    share = int(amount * 100) / 100
    match of:
        case "trending" | "popular" as because:
            return RecommendationReason(because, share)
        case int(movie):
            return context.of_movie(movie, share)
        case genre:
            return RecommendationReason("genre", share, genre=genre)
