"""What did someone say, and what is recommended to them for it?"""

from collections.abc import Mapping, Sequence
from heapq import nlargest
from typing import NamedTuple

from redis import Redis
from redis.client import Pipeline

from projectors.read_models.recommendations.candidate_snapshot import Market
from projectors.read_models.recommendations.candidates import rounded
from projectors.read_models.recommendations.genre_affinity import (
    Explanation,
    Liking,
    Telling,
    Trend,
    affinity,
    explain,
    reasons,
    taste,
    weights,
)
from projectors.read_models.recommendations.item_similarity import LATEST, near
from projectors.read_models.recommendations.page import Item
from projectors.read_models.recommendations.projection import KINDS, genres_of, unpacked
from projectors.read_models.similarity.formula import LIKES_FROM
from projectors.storage.pagination import DEFAULT_LIMIT
from projectors.storage.shard import Shard

LENGTH = 100
"""How many movies a list has at most."""
_OUTSIDE = 100
"""How many movies are looked at that are no candidates but like what was liked."""
_ENOUGH = DEFAULT_LIMIT
"""A list with so many movies for which there is a reason has no others."""

_Given = Mapping[int, Mapping[int, float]]


class Said(NamedTuple):
    """All that a user ever said about movies."""

    ratings: Mapping[int, int]
    preferred: tuple[str, ...]
    favourites: frozenset[int] = frozenset()
    hidden: frozenset[int] = frozenset()
    latest: tuple[int, ...] = ()
    """What they liked last, the newest first."""

    @property
    def seen(self) -> set[int]:
        """What is never recommended to them."""
        return {*self.ratings, *self.favourites, *self.hidden}


NOTHING = Said({}, ())
"""What those said who said nothing."""


def read_said(redis: Redis, shard: Shard, users: Sequence[str]) -> dict[str, Said]:
    """What some users of a shard said."""
    if not users:
        return {}
    with redis.pipeline(transaction=False) as pipe:
        for user in users:
            ask_said(pipe, shard, user)
        found = iter(pipe.execute())
    return {
        user: said_of(*said) for user, *said in zip(users, found, found, found, found, strict=True)
    }


def ask_said(pipe: Pipeline, shard: Shard, user: str) -> None:
    """Ask in a pipeline for what someone said, by four commands: see ``said_of``."""
    for kind in KINDS:
        pipe.hgetall(shard.state(kind, user))
    pipe.hget(shard.state("preferences"), user)


def said_of(
    history: Mapping[bytes, bytes],
    favourites: Mapping[bytes, bytes],
    hidden: Mapping[bytes, bytes],
    preferences: bytes | None,
) -> Said:
    """All that someone said, out of the four results."""
    opinions = {int(movie): unpacked(packed) for movie, packed in history.items()}
    liked = {movie: one.at for movie, one in opinions.items() if one.score >= LIKES_FROM}
    liked |= {int(movie): int(at) for movie, at in favourites.items()}
    gone = frozenset(map(int, hidden))
    latest = nlargest(LATEST, liked.keys() - gone, key=lambda movie: (liked[movie], movie))
    return Said(
        ratings={movie: opinion.score for movie, opinion in opinions.items()},
        preferred=genres_of(preferences),
        favourites=frozenset(map(int, favourites)),
        hidden=gone,
        latest=tuple(latest),
    )


def recommended(said: Said, market: Market) -> tuple[Item, ...]:
    """The list of someone who said this."""
    of_movies = weights(said.ratings, said.favourites)
    likings = taste(
        said.ratings,
        said.preferred,
        genres=market.genres_of(of_movies),
        shares=market.candidates.shares,
        favourites=said.favourites,
    )
    given = near(said.latest, of_movies, market.neighbours_of(said.latest))
    best = _best(likings, given, said.seen, market)
    items = _told(best, likings, given, _telling(said, likings, market))
    with_reasons = [item for item in items if item.reasons]
    return tuple(with_reasons if len(with_reasons) >= _ENOUGH and (likings or given) else items)


class _Found(NamedTuple):
    """A movie that may be in a list."""

    movie: int
    score: float
    genres: tuple[str, ...]
    trend: Trend


def _best(
    likings: Mapping[str, Liking], given: _Given, seen: set[int], market: Market
) -> list[_Found]:
    candidates = market.candidates
    sums = {movie: sum(amounts.values()) for movie, amounts in given.items() if movie not in seen}
    inside = (
        _Found(movie, score, candidates.genres[candidates.row_of[movie]], candidates.trends[movie])
        for movie, score in candidates.best(likings, without=seen, limit=LENGTH, near=sums)
    )
    others = {movie: amount for movie, amount in sums.items() if movie not in candidates.row_of}
    found = [*inside, *_outside(others, likings, market)]
    return sorted(found, key=lambda one: (-one.score, one.movie))[:LENGTH]


def _outside(
    sums: Mapping[int, float], likings: Mapping[str, Liking], market: Market
) -> list[_Found]:
    some = nlargest(_OUTSIDE, sums, key=lambda movie: (sums[movie], -movie))
    found: list[_Found] = []
    for movie, (facts, trend) in market.outside(some).items():
        genres = tuple(facts.genres)
        score = trend.total * (1 + affinity(genres, likings)) + sums[movie]
        found.append(_Found(movie, rounded(score), genres, trend))
    return found


def _told(
    best: Sequence[_Found], likings: Mapping[str, Liking], given: _Given, telling: Telling
) -> list[Item]:
    explanations: dict[tuple[str, ...], Explanation] = {}
    items: list[Item] = []
    for movie, score, genres, trend in best:
        if genres not in explanations:
            explanations[genres] = explain(genres, likings)
        why = reasons(explanations[genres], trend, given.get(movie, {}), telling)
        items.append(Item(movie, score, genres, why))
    return items


def _telling(said: Said, likings: Mapping[str, Liking], market: Market) -> Telling:
    speak = {liking.movie for liking in likings.values() if liking.movie is not None}
    return Telling(market.titles_of(speak.union(said.latest)), said.favourites)
