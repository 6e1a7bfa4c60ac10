"""Which log is rebuilt from? A seeded one: people with fifty ratings each, few movies with most.

Run as a program it fills the empty log of the environment it is in.
"""

import argparse
import os
import sys
from bisect import bisect
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infra.settings")

EVENTS, PEOPLE, MOVIES = 1_000_000, 20_000, 10_000
SEED = 1896
_SKEW = 0.9
_WEEK = timedelta(days=7)
_GENRES = ("Action", "Comedy", "Crime", "Drama", "Horror", "Romance", "Thriller", "Western")


def main() -> None:
    """Fill the log, and say how far it is."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generated_log", description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS, help="ratings (%(default)s)")
    parser.add_argument("--people", type=int, default=PEOPLE, help="who rate (%(default)s)")
    parser.add_argument("--movies", type=int, default=MOVIES, help="that are rated (%(default)s)")
    given = parser.parse_args()
    django.setup()
    from benchmarks.log_filling import fill  # noqa: PLC0415 - Django first

    made = ratings(given.events // given.people, given.people, given.movies)
    for count in fill(made, given.movies):
        sys.stderr.write(f"\r{count:,} events")
    sys.stderr.write("\n")


class GeneratedRating:
    """Who rated what, how and when."""

    __slots__ = ("at", "movie", "score", "user")

    def __init__(self, user: UUID, movie: int, score: int, at: datetime) -> None:
        self.user = user
        self.movie = movie
        self.score = score
        self.at = at


def ratings(each: int, people: int, movies: int) -> Iterator[list[GeneratedRating]]:
    """Everyone's ratings in the order of time, person after person; always the same."""
    random = Random(SEED)
    weights = list(accumulate(1 / rank**_SKEW for rank in range(1, movies + 1)))
    end = datetime.now(UTC)
    for _ in range(people):
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
    """Two of them for each movie."""
    return _GENRES[movie % len(_GENRES)], _GENRES[(movie // 8 + 3) % len(_GENRES)]


if __name__ == "__main__":
    main()
