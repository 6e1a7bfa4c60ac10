"""Who rates, and what, where there are no real people yet? Simulated ones; the same each time.

They behave as people on movie sites do: a few movies are known to many and most to few; everyone
has genres they like, scores of their own height, and rates in sittings, more of them lately. What
is known beyond the classics is guessed from the cast: those who play in many movies draw people
into each.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID, uuid5

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from command_api.imports.movielens_reader import SourceRating
from command_api.imports.popular_titles import WELL_KNOWN

SEED = 1895  # the first public film show
DAYS = 14
_PEOPLE = UUID("0c9f5b0e-2f0b-4b7e-8a55-7d0f3c1d9b1e")

_USUAL, _SPREAD, _MOST = 15, 0.8, 120  # ratings of a person: their median, how they vary, the most
_HEAD = 20
"""How many movies at the top are known about as well as the first."""
_TASTE = 6.0
"""How much likelier a movie of a liked genre is seen."""
_LATEST, _FADING_YEARS = 2023, 18.0
_DAY_SECONDS = 86_400


class SimulationMovie(NamedTuple):
    """What a simulated person knows of a movie."""

    movie_id: int
    title: str
    year: int | None
    genres: frozenset[str]
    cast: Sequence[str]


def person_id(number: int) -> UUID:
    """Who the nth simulated person is to us."""
    return uuid5(_PEOPLE, f"simulated:{number}")


def opinions(movies: Sequence[SimulationMovie], people: int) -> Iterator[SourceRating]:
    """What they think; ``at`` is in seconds before (so below) the end of their time, 0."""
    random = default_rng(SEED)
    known = _renown(movies, random)
    quality = random.normal(0, 0.9, len(movies))
    genres = sorted({genre for movie in movies for genre in movie.genres})
    has_genre = {genre: np.array([genre in m.genres for m in movies]) for genre in genres}
    for person in range(people):
        liked = random.choice(genres, size=min(2, len(genres)), replace=False)
        is_liked = np.any([has_genre[genre] for genre in liked], axis=0)
        seen = _seen(known * np.where(is_liked, _TASTE, 1.0), random)
        height = random.normal(6.2, 0.8)
        wished = height + quality[seen] + 1.6 * is_liked[seen] + random.normal(0, 1.0, len(seen))
        scores = np.clip(np.rint(wished), 1, 10).astype(int)
        for movie, score, at in zip(seen, scores, _times(len(seen), random), strict=True):
            yield SourceRating(0, person, movies[movie].movie_id, int(score), int(at), 0)


def _renown(movies: Sequence[SimulationMovie], random: Generator) -> NDArray[np.float64]:
    """How likely each is known, steep as popularity is; the newer the likelier."""
    plays = Counter(name for movie in movies for name in movie.cast)
    draw = np.array([sum(plays[name] for name in movie.cast[:4]) for movie in movies])
    years = np.array([movie.year or 1900 for movie in movies])
    recent = np.exp((np.minimum(years, _LATEST) - _LATEST) / _FADING_YEARS)
    classic = np.array([(movie.title, movie.year) in WELL_KNOWN for movie in movies])
    likely = (draw + 1) * recent * random.lognormal(0, 0.5, len(movies))
    rank = np.argsort(np.argsort(-np.where(classic, likely + likely.max(), likely)))
    return np.asarray(1.0 / (rank + _HEAD), dtype=np.float64)


def _seen(likely: NDArray[np.float64], random: Generator) -> NDArray[np.int64]:
    count = int(np.clip(random.lognormal(np.log(_USUAL), _SPREAD), 3, _MOST))
    count = min(count, len(likely))
    return random.choice(len(likely), size=count, replace=False, p=likely / likely.sum())


def _times(count: int, random: Generator) -> NDArray[np.int64]:
    """Sittings of some ratings, a minute or so apart; most of them in the last days."""
    sittings = random.uniform(0, 1, max(1, count // 8)) ** 2 * DAYS * _DAY_SECONDS
    began = random.choice(sittings, size=count)
    at: NDArray[np.int64] = -(began + 60 * np.arange(count)[::-1]).astype(np.int64) - 60
    return at
