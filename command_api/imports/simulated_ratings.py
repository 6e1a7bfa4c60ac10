"""Ratings of a simulated community: a deterministic model of people on movie sites.

Popularity has a long tail; each person likes some genres, has their own mean score, and rates in
sittings, most of them in the last days. Well-known movies lead, then others by prominence. The
popularity of the rest is estimated from their actors: who plays in many movies makes each of them
popular.
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

_MEDIAN, _SIGMA, _FEWEST, _MOST = 15, 0.8, 3, 120
"""Number of ratings of a person: log-normal, within limits."""
_HEAD = 20
"""Flattens the top of the long tail: popularity is 1 / (rank + _HEAD)."""
_GENRE_FACTOR = 6.0
"""How much likelier a movie of a liked genre is rated."""
_LATEST, _FADING_YEARS = 2023, 18.0
"""Popularity falls to 1/e with each 18 years before the latest year."""
_DAY_SECONDS = 86_400


class SimulationMovie(NamedTuple):
    movie_id: int
    title: str
    year: int | None
    genres: frozenset[str]
    cast: Sequence[str]
    prominence: int = 0


def person_id(number: int) -> UUID:
    """The user id of the nth simulated person."""
    return uuid5(_PEOPLE, f"simulated:{number}")


def simulate(movies: Sequence[SimulationMovie], people: int) -> Iterator[SourceRating]:
    """Ratings of ``people`` persons; ``at`` is negative: seconds before the end of the period."""
    random = default_rng(SEED)
    popularity = _popularity(movies, random)
    quality = random.normal(0, 0.9, len(movies))
    genres = sorted({genre for movie in movies for genre in movie.genres})
    has_genre = {genre: np.array([genre in m.genres for m in movies]) for genre in genres}
    for person in range(people):
        liked = random.choice(genres, size=min(2, len(genres)), replace=False)
        is_liked = np.any([has_genre[genre] for genre in liked], axis=0)
        rated = _sample(popularity * np.where(is_liked, _GENRE_FACTOR, 1.0), random)
        mean = random.normal(6.2, 0.8)
        noise = random.normal(0, 1.0, len(rated))
        raw = mean + quality[rated] + 1.6 * is_liked[rated] + noise
        scores = np.clip(np.rint(raw), 1, 10).astype(int)
        for index, score, at in zip(rated, scores, _times(len(rated), random), strict=True):
            yield SourceRating(
                number=0,
                user=person,
                film=movies[index].movie_id,
                score=int(score),
                at=int(at),
                read_bytes=0,
            )


def _popularity(movies: Sequence[SimulationMovie], random: Generator) -> NDArray[np.float64]:
    """Popularity of each movie, by rank: well-known, then prominent, then by actors and year."""
    appearances = Counter(name for movie in movies for name in movie.cast)
    fame = np.array([sum(appearances[name] for name in movie.cast[:4]) for movie in movies])
    years = np.array([movie.year or 1900 for movie in movies])
    recent = np.exp((np.minimum(years, _LATEST) - _LATEST) / _FADING_YEARS)
    well_known = np.array([(movie.title, movie.year) in WELL_KNOWN for movie in movies])
    estimate = (fame + 1) * recent * random.lognormal(0, 0.5, len(movies))
    prominence = np.array([movie.prominence for movie in movies])
    rank = np.argsort(np.lexsort((-estimate, -prominence, ~well_known)))
    return np.asarray(1.0 / (rank + _HEAD), dtype=np.float64)


def _sample(weights: NDArray[np.float64], random: Generator) -> NDArray[np.int64]:
    """Indexes of the movies that a person rates, by their weights."""
    count = int(np.clip(random.lognormal(np.log(_MEDIAN), _SIGMA), _FEWEST, _MOST))
    count = min(count, len(weights))
    return random.choice(len(weights), size=count, replace=False, p=weights / weights.sum())


def _times(count: int, random: Generator) -> NDArray[np.int64]:
    """Times in seconds, all negative; a sitting's ratings are a minute apart."""
    sittings = random.uniform(0, 1, max(1, count // 8)) ** 2 * DAYS * _DAY_SECONDS
    began = random.choice(sittings, size=count)
    at: NDArray[np.int64] = -(began + 60 * np.arange(count)[::-1]).astype(np.int64) - 60
    return at
