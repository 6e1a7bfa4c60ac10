"""Which ratings are imported where no real ones are at hand? Made up ones, of the same shape."""

import csv
from pathlib import Path
from random import Random

RATINGS, PEOPLE, MOVIES = 100_000, 943, 1_682
SEED = 1896
_FIRST, _LAST = 874_724_710, 893_286_638


def make(
    directory: Path, *, ratings: int = RATINGS, people: int = PEOPLE, movies: int = MOVIES
) -> None:
    """Write movies.csv and ratings.csv: few movies get most ratings, as in life."""
    random = Random(SEED)
    with (directory / "movies.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["movieId", "title", "genres"])
        for movie in range(1, movies + 1):
            rows.writerow([movie, f"Made Up {movie} ({1950 + movie % 49})", "Drama|Comedy"])
    pairs: set[tuple[int, int]] = set()
    while len(pairs) < ratings:
        movie = min(int(random.paretovariate(0.35)), movies)
        pairs.add(
            (random.randint(1, people), movie if movie < movies else random.randint(1, movies))
        )
    times = sorted(random.randint(_FIRST, _LAST) for _ in pairs)
    shuffled = random.sample(sorted(pairs), len(pairs))
    with (directory / "ratings.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["userId", "movieId", "rating", "timestamp"])
        for (person, movie), at in zip(shuffled, times, strict=True):
            rows.writerow([person, movie, random.randint(1, 5), at])
