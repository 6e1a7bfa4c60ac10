"""Where does a person find what became of each film of an import?"""

import csv
from collections.abc import Iterable
from pathlib import Path

from command_api.imports.movielens_films import MatchedFilm
from command_api.imports.movielens_reader import MovieLensFilm

_HEADER = ("movielens_id", "title", "how", "movie_id", "possible")


def write_report(path: Path, films: Iterable[MatchedFilm]) -> None:
    """A CSV line a film: its movie, how that was found out, and which movies it could be."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(_HEADER)
        for film, found in films:
            possible = " ".join(map(str, found.possible))
            name = name_of(film)
            rows.writerow((film.movielens_id, name, found.how, found.movie_id, possible))


def name_of(film: MovieLensFilm) -> str:
    """What people call it, with its year."""
    title, year, _ = film.title
    return f"{title} ({year})" if year else title
