"""Reader of MovieLens files: films, external ids and ratings, line by line."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from command_api.catalogue.external_ids import readable_ids, whole_number
from command_api.catalogue.genres import translate
from command_api.imports import csv_table, movielens_titles
from command_api.imports.line_warnings import RejectedLines
from command_api.imports.movielens_formats import MovieLensFiles
from command_api.imports.movielens_titles import ParsedTitle
from infra.client_times import CLOCK_TOLERANCE
from infra.progress_bar import progress

# Half a star is one point.
_SCORES = {f"{points / 2:g}": points for points in range(1, 11)} | {
    f"{points / 2:.1f}": points for points in range(1, 11)
}
_MAX_TITLE = 500
_PROGRESS_BYTES = 1_000_000
_LINK_COLUMNS = ("movieId", "imdbId", "tmdbId")


class MovieLensFilm(NamedTuple):
    movielens_id: int
    title: ParsedTitle
    genres: tuple[str, ...]


class SourceRating(NamedTuple):
    """A rating as its source has it; ``at`` is in seconds since 1970."""

    number: int
    user: int
    film: int
    score: int
    at: int
    read_bytes: int


def films(
    files: MovieLensFiles, rejected: RejectedLines, unknown_genres: Counter[str]
) -> Iterator[MovieLensFilm]:
    """All films; a line that repeats an id is rejected."""
    seen: set[int] = set()
    for row in files.read_films(files.films, rejected):
        try:
            film = _film(row.values, unknown_genres)
            _refuse(
                film.movielens_id in seen, f"film {film.movielens_id} is on an earlier line already"
            )
        except ValueError as error:
            rejected.add(row.number, str(error))
        else:
            seen.add(film.movielens_id)
            yield film


def links(files: MovieLensFiles, rejected: RejectedLines) -> Mapping[int, Mapping[str, str]]:
    """External ids by MovieLens' id; empty when there is no links.csv."""
    external_ids: dict[int, Mapping[str, str]] = {}
    if files.links.is_file():
        for row in csv_table.read(files.links, rejected, columns=_LINK_COLUMNS):
            try:
                film, imdb, tmdb = row.values
                report = partial(rejected.add, row.number)
                readable = readable_ids({"imdb": imdb, "tmdb": tmdb}, report)
                external_ids[_number("movieId", film)] = dict(readable)
            except ValueError as error:
                rejected.add(row.number, str(error))
    return external_ids


def ratings(
    files: MovieLensFiles, rejected: RejectedLines, *, known: Mapping[int, object], now: int
) -> Iterator[SourceRating]:
    """All ratings of known films, in the order of the file; ``now`` is in seconds since 1970."""
    for row in files.read_ratings(files.ratings, rejected):
        try:
            user, film, stars, at = row.values
            rating = SourceRating(
                row.number,
                _number("userId", user),
                _number("movieId", film),
                _score(stars),
                _time(at, now),
                row.read_bytes,
            )
            _refuse(rating.film not in known, f"film {rating.film} is not in {files.films.name}")
        except ValueError as error:
            rejected.add(row.number, str(error))
        else:
            yield rating


def with_progress(what: str, path: Path, ratings: Iterable[SourceRating]) -> Iterator[SourceRating]:
    """The ratings of a file, while it is shown how much of it has been read."""
    with progress(what, path.stat().st_size) as advance:
        done_bytes = 0
        for rating in ratings:
            yield rating
            if rating.read_bytes - done_bytes > _PROGRESS_BYTES:
                advance(rating.read_bytes - done_bytes)
                done_bytes = rating.read_bytes


def _film(values: Sequence[str], unknown_genres: Counter[str]) -> MovieLensFilm:
    movielens_id, title, genres = values
    _refuse(len(title) > _MAX_TITLE, f"a title longer than {_MAX_TITLE} characters")
    parsed = movielens_titles.parse(title)
    _refuse(not parsed.title, "no title")
    translated = translate(name for name in genres.split("|") if name.strip())
    unknown_genres.update(translated.unknown)
    return MovieLensFilm(_number("movieId", movielens_id), parsed, translated.genres)


def _score(stars: str) -> int:
    score = _SCORES.get(stars)
    if score is None:
        raise ValueError(f"rating {stars!r:.40} is not 0.5 to 5 stars in halves")
    return score


def _time(text: str, now: int) -> int:
    """Seconds since 1970, at most ``now``; raises ValueError for the future."""
    at = _number("timestamp", text)
    _refuse(at > now + CLOCK_TOLERANCE.seconds, f"timestamp {text} is in the future")
    return min(at, now)


def _number(column: str, text: str) -> int:
    number = whole_number(text)
    if number is None:
        raise ValueError(f"{column} {text!r:.40} is not a number")
    return number


def _refuse(is_wrong: bool, reason: str) -> None:  # noqa: FBT001 - reads as a sentence
    if is_wrong:
        raise ValueError(reason)
