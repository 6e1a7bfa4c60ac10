"""In which form does a directory hold MovieLens?

| release | films | ratings | ids of other sources |
|---|---|---|---|
| 100K | ``u.item``, between ``|``, a column a genre | ``u.data``, between tabs | none |
| 1M, 10M | ``movies.dat``, between ``::`` | ``ratings.dat`` | none |
| all others | ``movies.csv``, below a header | ``ratings.csv`` | ``links.csv`` |

What comes out are rows of the columns that the newest form has.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeAlias

from command_api.imports import csv_table, line_reader
from command_api.imports.csv_table import CsvRow
from command_api.imports.rejected_lines import RejectedLines

Reader: TypeAlias = Callable[[Path, RejectedLines], Iterator[CsvRow]]

LINKS = "links.csv"
_FILM_COLUMNS = ("movieId", "title", "genres")
_RATING_COLUMNS = ("userId", "movieId", "rating", "timestamp")
_GENRES_OF_100K = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery"),
    *("Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
_NO_GENRE = "unknown"
_BEFORE_GENRES = 5
"""Columns of u.item: id, title, two dates, an address."""


class MissingFiles(Exception):
    """The directory lacks a file that is needed."""


class MovieLensFiles(NamedTuple):
    """The files of a directory, and how they are read."""

    films: Path
    ratings: Path
    read_films: Reader
    read_ratings: Reader

    @property
    def links(self) -> Path:
        """The ids of other sources, where there are any."""
        return self.films.with_name(LINKS)


def find(directory: Path) -> MovieLensFiles:
    """The files of the form that is there; raises MissingFiles."""
    forms = [
        MovieLensFiles(directory / films, directory / ratings, read_films, read_ratings)
        for films, ratings, read_films, read_ratings in _FORMS
    ]
    found = next((files for files in forms if files.films.is_file()), forms[0])
    for path in (found.films, found.ratings):
        if not path.is_file():
            raise MissingFiles(f"There is no file {path.name} in {directory}.")
    return found


def _between(separator: str, width: int, path: Path, broken: RejectedLines) -> Iterator[CsvRow]:
    """Rows of a file without a header and without quotes."""
    for line in line_reader.read(path):
        if line.is_torn:
            broken.tear(line)
            return
        if not line.content and not line.broken:
            continue
        cells = _text(line.content).split(separator)
        if line.broken or len(cells) != width:
            broken.add(line.number, line.broken or f"{len(cells)} columns instead of {width}")
        else:
            yield CsvRow(line.number, cells, line.read_bytes)


def _text(content: bytes) -> str:
    """100K and 1M are of the time before Unicode."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _films_of_100k(path: Path, broken: RejectedLines) -> Iterator[CsvRow]:
    for row in _between("|", _BEFORE_GENRES + len(_GENRES_OF_100K), path, broken):
        yield row._replace(values=[*row.values[:2], _genres(row.values[_BEFORE_GENRES:])])


def _genres(flags: Sequence[str]) -> str:
    told = zip(_GENRES_OF_100K, flags, strict=True)
    return "|".join(name for name, flag in told if flag == "1" and name != _NO_GENRE)


def _csv(columns: Sequence[str], path: Path, broken: RejectedLines) -> Iterator[CsvRow]:
    return csv_table.read(path, columns, broken)


_FORMS: Sequence[tuple[str, str, Reader, Reader]] = (
    ("movies.csv", "ratings.csv", partial(_csv, _FILM_COLUMNS), partial(_csv, _RATING_COLUMNS)),
    (
        "movies.dat",
        "ratings.dat",
        partial(_between, "::", len(_FILM_COLUMNS)),
        partial(_between, "::", len(_RATING_COLUMNS)),
    ),
    ("u.item", "u.data", _films_of_100k, partial(_between, "\t", len(_RATING_COLUMNS))),
)
