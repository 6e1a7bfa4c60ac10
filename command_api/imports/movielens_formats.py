"""File formats of the MovieLens releases, read as rows of the newest format's columns.

| release | films | ratings | external ids |
|---|---|---|---|
| 100K | ``u.item``, separator ``|``, a column per genre | ``u.data``, tab-separated | none |
| 1M, 10M | ``movies.dat``, separator ``::`` | ``ratings.dat`` | none |
| all others | ``movies.csv`` with a header | ``ratings.csv`` | ``links.csv`` |
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from io import StringIO
from pathlib import Path
from typing import NamedTuple, TypeAlias

from command_api.imports import csv_table
from command_api.imports.csv_table import TableRow
from command_api.imports.line_warnings import RejectedLines
from infra import line_reader

RowReader: TypeAlias = Callable[[Path, RejectedLines], Iterator[TableRow]]

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
"""Columns of u.item: id, title, two dates, a URL."""


class MissingFiles(Exception):
    """The directory lacks a file that is needed."""


class MovieLensFiles(NamedTuple):
    films: Path
    ratings: Path
    read_films: RowReader
    read_ratings: RowReader

    @property
    def links(self) -> Path:
        """The file of external ids; it may be missing."""
        return _file(self.films.parent, LINKS)

    def refuse_unreadable(self) -> None:
        """Raise DamagedFile or MissingColumns for a file of which nothing should be used."""
        paths = (self.films, self.ratings, self.links)
        line_reader.refuse_damaged(*(path for path in paths if path.is_file()))
        for path, read in ((self.films, self.read_films), (self.ratings, self.read_ratings)):
            next(read(path, RejectedLines(path.name, out=StringIO())), None)


def find(directory: Path) -> MovieLensFiles:
    """The files of the release in a directory; raises MissingFiles."""
    formats = [
        MovieLensFiles(_file(directory, films), _file(directory, ratings), read_films, read_ratings)
        for films, ratings, read_films, read_ratings in _FORMATS
    ]
    present = next((files for files in formats if files.films.is_file()), formats[0])
    for path in (present.films, present.ratings):
        if not path.is_file():
            raise MissingFiles(f"There is no file {path.name} in {directory}.")
    return present


def _file(directory: Path, name: str) -> Path:
    """A file by its name, or else by its name with ``.gz``."""
    path, packed = directory / name, directory / f"{name}.gz"
    return packed if packed.is_file() and not path.is_file() else path


def _separated(
    separator: str, width: int, path: Path, rejected: RejectedLines
) -> Iterator[TableRow]:
    """Rows of a file without header and quotes."""
    lines = line_reader.read(path)
    return csv_table.split_rows(
        lines, lambda content: content.decode().split(separator), width, rejected
    )


def _films_of_100k(path: Path, rejected: RejectedLines) -> Iterator[TableRow]:
    for row in _separated("|", _BEFORE_GENRES + len(_GENRES_OF_100K), path, rejected):
        yield row._replace(values=[*row.values[:2], _genres(row.values[_BEFORE_GENRES:])])


def _genres(flags: Sequence[str]) -> str:
    flagged = zip(_GENRES_OF_100K, flags, strict=True)
    return "|".join(name for name, flag in flagged if flag == "1" and name != _NO_GENRE)


_FORMATS: Sequence[tuple[str, str, RowReader, RowReader]] = (
    (
        "movies.csv",
        "ratings.csv",
        partial(csv_table.read, columns=_FILM_COLUMNS),
        partial(csv_table.read, columns=_RATING_COLUMNS),
    ),
    (
        "movies.dat",
        "ratings.dat",
        partial(_separated, "::", len(_FILM_COLUMNS)),
        partial(_separated, "::", len(_RATING_COLUMNS)),
    ),
    ("u.item", "u.data", _films_of_100k, partial(_separated, "\t", len(_RATING_COLUMNS))),
)
