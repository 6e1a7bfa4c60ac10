"""Generated ratings of the log that is rebuilt: fifty for each user; a few movies are popular."""

from bisect import bisect
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from uuid import UUID

EVENTS, USERS, MOVIES = 1_000_000, 20_000, 10_000
SEED = 1896
_SKEW = 0.9
_WEEK = timedelta(days=7)
_GENRES = ("Action", "Comedy", "Crime", "Drama", "Horror", "Romance", "Thriller", "Western")


class GeneratedRating:
    """One user's rating of one movie."""

    __slots__ = ("at", "movie", "score", "user")

    def __init__(self, user: UUID, movie: int, score: int, at: datetime) -> None:
        self.user = user
        self.movie = movie
        self.score = score
        self.at = at


def ratings(each: int, users: int, movies: int) -> Iterator[list[GeneratedRating]]:
    """Each user's ratings in order of time; the same users, movies and scores for every call."""
    random = Random(SEED)
    weights = list(accumulate(1 / rank**_SKEW for rank in range(1, movies + 1)))
    end = datetime.now(UTC)
    for _ in range(users):
        user = UUID(int=random.getrandbits(128), version=4)
        chosen: dict[int, None] = {}
        while len(chosen) < min(each, movies):
            chosen[bisect(weights, random.random() * weights[-1]) + 1] = None
        times = sorted(end - _WEEK * random.random() for _ in chosen)
        yield [
            GeneratedRating(user, movie, min(10, max(1, round(random.gauss(7, 2)))), at)
            for movie, at in zip(chosen, times, strict=True)
        ]


def genres_of(movie: int) -> Sequence[str]:
    """Two genres for each movie."""
    return _GENRES[movie % len(_GENRES)], _GENRES[(movie // 8 + 3) % len(_GENRES)]
