"""Fetcher: many films at the rate that TMDb allows, in constant memory.

A pool of threads sends requests, up to ``AHEAD`` of the results that were consumed; the threads use
no database. Results come in the order of the requests.
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
    """A film, and its ETag of the last fetch."""

    tmdb_id: int
    etag: str | None = None


class FetchResult(NamedTuple):
    """The outcome of a request, and when it was sent."""

    tmdb_id: int
    requested_at: datetime
    outcome: FetchedFilm | FilmNotFound | MalformedResponse | TmdbUnavailable
    """TmdbUnavailable: retries of this film failed; others may succeed."""


def fetch(tmdb: TmdbClient, requests: Iterable[FetchRequest]) -> Generator[FetchResult, None, None]:
    """The result of each request; raises a TmdbError when no more can be sent now."""
    waiting: deque[Future[FetchResult]] = deque()
    pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="tmdb")
    try:
        for request in requests:
            waiting.append(pool.submit(_fetch_one, tmdb, request))
            if len(waiting) >= AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _fetch_one(tmdb: TmdbClient, request: FetchRequest) -> FetchResult:
    requested_at = datetime.now(UTC)
    try:
        film = tmdb.film(request.tmdb_id, request.etag)
        return FetchResult(request.tmdb_id, requested_at, film)
    except (FilmNotFound, MalformedResponse) as fault:
        return FetchResult(request.tmdb_id, requested_at, fault)
    except TmdbUnavailable as fault:
        if isinstance(fault, TmdbPaused) or fault.seconds is not None:
            raise
        return FetchResult(request.tmdb_id, requested_at, fault)
