"""How much does someone like each genre, and because of what?

    evidence(genre) = what a preference counts
                    + sum over rated movies of the genre: weight(score) / sqrt(genres of the movie)
    affinity(genre)   = evidence, not below zero, as a share of all evidence
                      / sqrt(the genre's share of what everyone rates)
    affinity(movie) = WEIGHT x sum over its genres of affinity / sqrt(genres of the movie)
    near(movie)     = what the movies that were liked last give to what is like them (near.py)
    score(movie)    = trend x (1 + affinity) + near

A favourite counts as much as the highest score. The division by everyone's share is a lift, half
way: otherwise Drama, a quarter of all that is rated, would be everyone's favourite, and with all of
it one film noir would decide a list. All of it adds up, so what each preference and each rated
movie gives to a score is known exactly.
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
"""Evidence that nobody gave: with little of one's own, the trend says more."""
_LEAST_SHARE = 0.02

# Measured for 1..5 stars: 0, .2, .6, 1, 1.2; a disliked movie must never add. Half stars lie in
# between, and the lowest scores speak against a genre.
WEIGHTS = {1: -0.4, 2: -0.2, 3: 0.0, 4: 0.2, 5: 0.4, 6: 0.6, 7: 0.8, 8: 1.0, 9: 1.1, 10: 1.2}

FAVOURITE = WEIGHTS[10]

MAX_REASONS = 4
"""How many reasons are told, the weightiest first."""
_LEAST = 0.01

Genres: TypeAlias = Mapping[int, Sequence[str]]


class GenreAffinity(NamedTuple):
    """How much a genre is liked; ``movie`` is the rated movie that gave the most to it."""

    amount: float
    movie: int | None = None
    movie_share: float = 0.0


class TrendScore(NamedTuple):
    """What makes a movie a candidate whoever asks; all three add up to ``total``."""

    heat: float
    popularity: float
    recency: float

    @property
    def total(self) -> float:
        """The trend."""
        return self.heat + self.popularity + self.recency


class RecommendationReason(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that gave a share of a score."""

    because: Literal["rated", "favourite", "genre", "trending", "popular"]
    share: float
    movie: int | None = None
    title: str | None = None
    """That movie's."""
    genre: str | None = None


class Explanation(NamedTuple):
    """What gives which share of trend x (1 + affinity); the trend itself gives ``of_trend``."""

    of_trend: float
    by_genre: Mapping[str, float]
    by_movie: Mapping[int, float]


class ReasonContext(NamedTuple):
    """How reasons are told to someone."""

    titles: Mapping[int, str] = MappingProxyType({})
    favourites: Collection[int] = ()

    def of_movie(self, movie: int, share: float) -> RecommendationReason:
        """A reason that is a movie."""
        because: Literal["rated", "favourite"] = (
            "favourite" if movie in self.favourites else "rated"
        )
        return RecommendationReason(because, share, movie=movie, title=self.titles.get(movie))


_Share: TypeAlias = tuple[float, str | int]
"""What the trend's heat or popularity, a movie, or a genre gives; a list has hundreds."""


class _Evidence(msgspec.Struct):
    preference: float = 0.0
    by_movie: dict[int, float] = msgspec.field(default_factory=dict)

    def affinity(self) -> GenreAffinity:
        """All of it, and the movie that speaks most for the genre with its part of what does."""
        total = self.preference + sum(self.by_movie.values())
        gives = {movie: weight for movie, weight in self.by_movie.items() if weight > 0}
        if total <= 0 or not gives:
            return GenreAffinity(max(0.0, total))
        movie = max(gives, key=lambda one: (gives[one], -one))
        return GenreAffinity(total, movie, gives[movie] / (self.preference + sum(gives.values())))


def genre_affinities(
    ratings: Mapping[int, int],
    preferred: Iterable[str],
    *,
    genres: Genres,
    shares: Mapping[str, float],
    favourites: Collection[int] = (),
) -> dict[str, GenreAffinity]:
    """Genre -> how much it is liked; movies whose genres are unknown say nothing."""
    gathered = _gather_evidence(rating_weights(ratings, favourites), preferred, genres)
    affinities = {genre: evidence.affinity() for genre, evidence in gathered.items()}
    whole = _PRIOR + fsum(affinity.amount for affinity in affinities.values())
    return {
        genre: affinity._replace(amount=affinity.amount / whole / _lift(shares.get(genre, 0.0)))
        for genre, affinity in affinities.items()
        if affinity.amount > 0
    }


def rating_weights(
    ratings: Mapping[int, int], favourites: Collection[int] = ()
) -> dict[int, float]:
    """Movie -> how much what was said of it speaks for it."""
    found = {movie: WEIGHTS[score] for movie, score in ratings.items()}
    return found | {movie: max(FAVOURITE, found.get(movie, 0.0)) for movie in favourites}


def movie_affinity(genres: Sequence[str], affinities: Mapping[str, GenreAffinity]) -> float:
    """How much someone's taste speaks for a movie of these genres."""
    return sum(_by_genre(genres, affinities).values())


def explain(genres: Sequence[str], affinities: Mapping[str, GenreAffinity]) -> Explanation:
    """What someone's taste gives to the score of any movie of these genres."""
    given = _by_genre(genres, affinities)
    whole = 1 + sum(given.values())
    by_genre: dict[str, float] = {}
    by_movie: dict[int, float] = {}
    for genre, amount in given.items():
        affinity = affinities[genre]
        by_genre[genre] = amount * (1 - affinity.movie_share) / whole
        if affinity.movie is not None:
            share = amount * affinity.movie_share / whole
            by_movie[affinity.movie] = by_movie.get(affinity.movie, 0.0) + share
    return Explanation(1 / whole, by_genre, by_movie)


def reasons(
    explanation: Explanation,
    trend: TrendScore,
    near: Mapping[int, float] = MappingProxyType({}),
    telling: ReasonContext = ReasonContext(),  # noqa: B008 - a value that never changes
) -> tuple[RecommendationReason, ...]:
    """The weightiest reasons of a movie's score; together they are never more than the whole."""
    of_taste = trend.total / explanation.of_trend
    whole = of_taste + sum(near.values())
    if whole <= 0:
        return ()
    part = of_taste / whole
    by_movie = {movie: amount / whole for movie, amount in near.items()}
    for movie, share in explanation.by_movie.items():
        by_movie[movie] = by_movie.get(movie, 0.0) + share * part
    found: list[_Share] = [
        (trend.heat / whole, "trending"),
        (trend.popularity / whole, "popular"),
        *[(share * part, genre) for genre, share in explanation.by_genre.items()],
        *[(share, movie) for movie, share in by_movie.items()],
    ]
    found.sort(key=itemgetter(0), reverse=True)
    return tuple([_reason(*one, telling) for one in found[:MAX_REASONS] if one[0] >= _LEAST])


def _gather_evidence(
    rating_weights: Mapping[int, float], preferred: Iterable[str], genres: Genres
) -> dict[str, _Evidence]:
    found: dict[str, _Evidence] = {}
    for genre in preferred:
        found.setdefault(genre, _Evidence()).preference = _PREFERENCE
    for movie in sorted(rating_weights):
        of_movie = genres.get(movie, ())
        for genre in of_movie:
            weight = rating_weights[movie] / sqrt(len(of_movie))
            found.setdefault(genre, _Evidence()).by_movie[movie] = weight
    return found


def _lift(share: float) -> float:
    return sqrt(max(share, _LEAST_SHARE))


def _by_genre(genres: Sequence[str], affinities: Mapping[str, GenreAffinity]) -> dict[str, float]:
    return {
        genre: WEIGHT * affinities[genre].amount / sqrt(len(genres))
        for genre in genres
        if genre in affinities
    }


def _reason(amount: float, of: str | int, telling: ReasonContext) -> RecommendationReason:
    """Shares are told rounded down, so that they never add up to more than the whole."""
    share = int(amount * 100) / 100
    match of:
        case "trending" | "popular" as because:
            return RecommendationReason(because, share)
        case int(movie):
            return telling.of_movie(movie, share)
        case genre:
            return RecommendationReason("genre", share, genre=genre)
