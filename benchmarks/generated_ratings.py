"""Generated ratings in MovieLens's format, for benchmarks without real ones.

``python -m benchmarks.generated_ratings DIR --ratings N`` writes N ratings, user by user, as in the
large MovieLens releases.
"""

import argparse
import csv
from itertools import count
from pathlib import Path
from random import Random

RATINGS, PEOPLE, MOVIES = 100_000, 943, 1_682
SEED = 1896
_FIRST, _LAST = 874_724_710, 893_286_638


def make(
    directory: Path,
    *,
    ratings: int = RATINGS,
    people: int = PEOPLE,
    movies: int = MOVIES,
    first_user: int = 1,
) -> None:
    """Write movies.csv and ratings.csv: few movies get most ratings.

    Files with ranges of users that don't overlap can be imported into the same log.
    """
    random = Random(SEED)
    _make_films(directory, movies)
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
            rows.writerow([first_user + person - 1, movie, random.randint(1, 5), at])


def make_by_user(directory: Path, *, ratings: int, movies: int = MOVIES) -> None:
    """Write movies.csv and ratings.csv, user by user, in constant memory."""
    random = Random(SEED)
    _make_films(directory, movies)
    with (directory / "ratings.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["userId", "movieId", "rating", "timestamp"])
        remaining = ratings
        for person in count(1):
            count_of_user = min(remaining, movies, max(20, int(random.lognormvariate(4.4, 1.0))))
            for movie in sorted(random.sample(range(1, movies + 1), count_of_user)):
                at = random.randint(_FIRST, _LAST)
                rows.writerow([person, movie, random.randint(1, 10) / 2, at])
            remaining -= count_of_user
            if not remaining:
                return


def _make_films(directory: Path, movies: int) -> None:
    with (directory / "movies.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["movieId", "title", "genres"])
        for movie in range(1, movies + 1):
            rows.writerow([movie, f"Made Up {movie} ({1950 + movie % 49})", "Drama|Comedy"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generated_ratings")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--ratings", type=int, default=RATINGS)
    arguments = parser.parse_args()
    arguments.directory.mkdir(parents=True, exist_ok=True)
    make_by_user(arguments.directory, ratings=arguments.ratings)
