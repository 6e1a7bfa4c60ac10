"""Ranking: a user's recommendation list from their taste and a candidate snapshot.

Beside genre affinity, movies like those that a user liked last count:

    neighbour score(movie) = WEIGHT x sum over the LATEST_LIKED movies, the k-th latest:
                             2^(-k / HALF_LIFE) x weight(score) x similarity

A sum, so the part of each liked movie is known exactly. Liked is a movie rated 8 at least, or a
favourite.
"""

from collections.abc import Mapping, Sequence
from heapq import nlargest
from typing import NamedTuple

from redis import Redis
from redis.client import Pipeline

from projectors.read_models.recommendations.candidate_snapshot import CandidateSnapshot
from projectors.read_models.recommendations.candidates import round_score
from projectors.read_models.recommendations.genre_affinity import (
    Explanation,
    GenreAffinity,
    ReasonContext,
    TrendScore,
    explain,
    genre_affinities,
    movie_affinity,
    rating_weights,
    reasons,
)
from projectors.read_models.recommendations.page import RecommendedMovie
from projectors.read_models.recommendations.projection import KINDS, decode_genres, unpack_score
from projectors.read_models.similarity.formula import LIKES_FROM
from projectors.read_models.similarity.neighbour import Neighbour
from projectors.storage.pagination import DEFAULT_LIMIT
from projectors.storage.shard import Shard

WEIGHT = 1.5
LATEST_LIKED = 10
HALF_LIFE = 5.0
LIST_LENGTH = 100
"""How many movies a list has at most."""
_OUTSIDE = 100
"""How many neighbours of liked movies are scored that are not candidates."""
_ENOUGH = DEFAULT_LIMIT
"""With this many movies that have a reason, a list leaves out all others."""

_NeighbourScores = Mapping[int, Mapping[int, float]]


class UserTaste(NamedTuple):
    """All scores, favourites, hidden movies and preferences of a user."""

    ratings: Mapping[int, int]
    preferred: tuple[str, ...]
    favourites: frozenset[int] = frozenset()
    hidden: frozenset[int] = frozenset()
    latest: tuple[int, ...] = ()
    """What they liked last, the newest first."""

    @property
    def seen(self) -> set[int]:
        """Movies that are never recommended to them."""
        return {*self.ratings, *self.favourites, *self.hidden}


NO_TASTE = UserTaste({}, ())
"""The taste of a user without any events."""


def read_tastes(redis: Redis, shard: Shard, users: Sequence[str]) -> dict[str, UserTaste]:
    if not users:
        return {}
    with redis.pipeline(transaction=False) as pipe:
        for user in users:
            enqueue_taste(pipe, shard, user)
        all_replies = iter(pipe.execute())
    return {
        user: taste_from_replies(*replies)
        for user, *replies in zip(
            users, all_replies, all_replies, all_replies, all_replies, strict=True
        )
    }


def enqueue_taste(pipe: Pipeline, shard: Shard, user: str) -> None:
    """Enqueue the four reads of a user's taste: see ``taste_from_replies``."""
    for kind in KINDS:
        pipe.hgetall(shard.state(kind, user))
    pipe.hget(shard.state("preferences"), user)


def taste_from_replies(
    history: Mapping[bytes, bytes],
    favourites: Mapping[bytes, bytes],
    hidden: Mapping[bytes, bytes],
    preferences: bytes | None,
) -> UserTaste:
    scores = {int(movie): unpack_score(packed) for movie, packed in history.items()}
    liked = {movie: one.at for movie, one in scores.items() if one.score >= LIKES_FROM}
    liked |= {int(movie): int(at) for movie, at in favourites.items()}
    gone = frozenset(map(int, hidden))
    latest = nlargest(LATEST_LIKED, liked.keys() - gone, key=lambda movie: (liked[movie], movie))
    return UserTaste(
        ratings={movie: score.score for movie, score in scores.items()},
        preferred=decode_genres(preferences),
        favourites=frozenset(map(int, favourites)),
        hidden=gone,
        latest=tuple(latest),
    )


def recommend(taste: UserTaste, snapshot: CandidateSnapshot) -> tuple[RecommendedMovie, ...]:
    of_movies = rating_weights(taste.ratings, taste.favourites)
    affinities = genre_affinities(
        taste.ratings,
        taste.preferred,
        genres=snapshot.genres_of(of_movies),
        shares=snapshot.candidates.shares,
        favourites=taste.favourites,
    )
    neighbour_parts = neighbour_scores(
        taste.latest, of_movies, snapshot.neighbours_of(taste.latest)
    )
    best = _best(affinities, neighbour_parts, taste.seen, snapshot)
    items = _explained(
        best, affinities, neighbour_parts, _reason_context(taste, affinities, snapshot)
    )
    with_reasons = [item for item in items if item.reasons]
    return tuple(
        with_reasons if len(with_reasons) >= _ENOUGH and (affinities or neighbour_parts) else items
    )


def neighbour_scores(
    latest: Sequence[int],
    weights: Mapping[int, float],
    neighbours: Mapping[int, Sequence[Neighbour]],
) -> dict[int, dict[int, float]]:
    """Return movie -> liked movie -> its part; ``latest`` is newest first."""
    scores: dict[int, dict[int, float]] = {}
    for nth, liked in enumerate(latest[:LATEST_LIKED]):
        weight = WEIGHT * 2.0 ** (-nth / HALF_LIFE) * weights[liked]
        for neighbour in neighbours.get(liked, ()):
            scores.setdefault(neighbour.movie, {})[liked] = weight * neighbour.score
    return scores


class _RankedMovie(NamedTuple):
    movie: int
    score: float
    genres: tuple[str, ...]
    trend: TrendScore


def _best(
    affinities: Mapping[str, GenreAffinity],
    neighbour_parts: _NeighbourScores,
    seen: set[int],
    snapshot: CandidateSnapshot,
) -> list[_RankedMovie]:
    candidates = snapshot.candidates
    sums = {
        movie: sum(amounts.values())
        for movie, amounts in neighbour_parts.items()
        if movie not in seen
    }
    inside = (
        _RankedMovie(
            movie, score, candidates.genres[candidates.row_of[movie]], candidates.trends[movie]
        )
        for movie, score in candidates.best(
            affinities, without=seen, limit=LIST_LENGTH, neighbour_scores=sums
        )
    )
    others = {movie: amount for movie, amount in sums.items() if movie not in candidates.row_of}
    ranked = [*inside, *_score_outside(others, affinities, snapshot)]
    return sorted(ranked, key=lambda entry: (-entry.score, entry.movie))[:LIST_LENGTH]


def _score_outside(
    sums: Mapping[int, float], affinities: Mapping[str, GenreAffinity], snapshot: CandidateSnapshot
) -> list[_RankedMovie]:
    some = nlargest(_OUTSIDE, sums, key=lambda movie: (sums[movie], -movie))
    ranked: list[_RankedMovie] = []
    for movie, (facts, trend) in snapshot.outside(some).items():
        genres = tuple(facts.genres)
        score = trend.total * (1 + movie_affinity(genres, affinities)) + sums[movie]
        ranked.append(_RankedMovie(movie, round_score(score), genres, trend))
    return ranked


def _explained(
    best: Sequence[_RankedMovie],
    affinities: Mapping[str, GenreAffinity],
    neighbour_parts: _NeighbourScores,
    context: ReasonContext,
) -> list[RecommendedMovie]:
    explanations: dict[tuple[str, ...], Explanation] = {}
    items: list[RecommendedMovie] = []
    for movie, score, genres, trend in best:
        if genres not in explanations:
            explanations[genres] = explain(genres, affinities)
        why = reasons(explanations[genres], trend, neighbour_parts.get(movie, {}), context)
        items.append(RecommendedMovie(movie, score, genres, why))
    return items


def _reason_context(
    taste: UserTaste, affinities: Mapping[str, GenreAffinity], snapshot: CandidateSnapshot
) -> ReasonContext:
    reason_movies = {
        affinity.movie for affinity in affinities.values() if affinity.movie is not None
    }
    return ReasonContext(snapshot.titles_of(reason_movies.union(taste.latest)), taste.favourites)
