"""Who rates where there are no real ratings? Simulated people, and it says so."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, NamedTuple

SEED = 1895  # the first public film show


class Opinion(NamedTuple):
    """One simulated rating."""

    movie: int
    score: int


def opinions(movies: Sequence[dict[str, Any]], people: int, each: int) -> Iterator[list[Opinion]]:
    """For each of ``people`` the ``each`` opinions they give: a favourite genre, and chance."""
    random = Random(SEED)  # noqa: S311 - the same community each time, no secret
    genres = sorted({genre for movie in movies for genre in movie["genres"]})
    for _ in range(people):
        favourite = random.choice(genres)
        seen = random.sample(list(movies), k=min(each, len(movies)))
        yield [
            Opinion(
                movie["id"], random.randint(*((7, 10) if favourite in movie["genres"] else (3, 8)))
            )
            for movie in seen
        ]
