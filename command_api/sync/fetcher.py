"""How are many films fetched at the rate that TMDb allows, in constant memory?

Some threads ask, as many questions ahead as keep them busy while what came is written; they touch
no database. Answers come in the order of the questions.
"""

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import NamedTuple

from command_api.catalogue.tmdb.client import CONNECTIONS, TmdbClient
from command_api.catalogue.tmdb.errors import (
    FilmNotFound,
    MalformedResponse,
    TmdbPaused,
    TmdbUnavailable,
)
from command_api.catalogue.tmdb.schemas import FetchedFilm

AHEAD = 64


class FetchRequest(NamedTuple):
    """A film to ask for, and the mark that it carried when it was fetched the last time."""

    tmdb_id: int
    mark: str | None = None


class FetchResult(NamedTuple):
    """What TMDb said of a film, and when it was asked."""

    tmdb_id: int
    asked_at: datetime
    answer: FetchedFilm | FilmNotFound | MalformedResponse | TmdbUnavailable
    """TmdbUnavailable: this one could not be had, after some tries; others may be."""


def fetch(tmdb: TmdbClient, wanted: Iterable[FetchRequest]) -> Generator[FetchResult, None, None]:
    """What TMDb says of each; raises the TmdbError that says nothing more can be had now."""
    waiting: deque[Future[FetchResult]] = deque()
    pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="tmdb")
    try:
        for film in wanted:
            waiting.append(pool.submit(_ask, tmdb, film))
            if len(waiting) >= AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _ask(tmdb: TmdbClient, film: FetchRequest) -> FetchResult:
    asked_at = datetime.now(UTC)
    try:
        return FetchResult(film.tmdb_id, asked_at, tmdb.film(film.tmdb_id, film.mark))
    except (FilmNotFound, MalformedResponse) as fault:
        return FetchResult(film.tmdb_id, asked_at, fault)
    except TmdbUnavailable as fault:
        if isinstance(fault, TmdbPaused) or fault.seconds is not None:
            raise
        return FetchResult(film.tmdb_id, asked_at, fault)
