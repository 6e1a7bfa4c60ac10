"""What did someone say, and what is recommended to them for it?"""

from collections.abc import Sequence
from typing import NamedTuple

from redis import Redis

from projectors.recommendations.market import Market
from projectors.recommendations.page import Item
from projectors.recommendations.projection import genres_of, score_of
from projectors.recommendations.taste import Explanation, explain, reasons, taste
from projectors.shard import Shard

LENGTH = 200
"""How many movies a list has at most."""


class Said(NamedTuple):
    """All that a user ever said about movies."""

    ratings: dict[int, int]
    preferred: tuple[str, ...]


def read_said(redis: Redis, shard: Shard, users: Sequence[str]) -> dict[str, Said]:
    """What some users of a shard said."""
    if not users:
        return {}
    with redis.pipeline(transaction=False) as pipe:
        for user in users:
            pipe.hgetall(shard.state("history", user))
            pipe.hget(shard.state("preferences"), user)
        found = iter(pipe.execute())
    return {
        user: Said(
            ratings={int(movie): score_of(packed) for movie, packed in history.items()},
            preferred=genres_of(preferences),
        )
        for user, history, preferences in zip(users, found, found, strict=True)
    }


def recommended(said: Said, market: Market) -> tuple[Item, ...]:
    """The list of someone who said this."""
    candidates = market.candidates
    genres = market.genres_of(said.ratings)
    likings = taste(said.ratings, said.preferred, genres=genres, shares=candidates.shares)
    best = candidates.best(likings, without=list(said.ratings), limit=LENGTH)
    explanations: dict[tuple[str, ...], Explanation] = {}
    items: list[Item] = []
    for movie, score in best:
        of_movie = candidates.genres[candidates.row_of[movie]]
        if of_movie not in explanations:
            explanations[of_movie] = explain(of_movie, likings)
        why = reasons(explanations[of_movie], candidates.trends[movie])
        items.append(Item(movie, score, of_movie, why))
    return tuple(items)
