"""How are many films fetched at the rate that TMDb allows, in constant memory?

Some threads ask, as many questions ahead as keep them busy while what came is written; they touch
no database. Answers come in the order of the questions.
"""

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import NamedTuple

from command_api.catalogue.tmdb.client import CONNECTIONS, Tmdb
from command_api.catalogue.tmdb.errors import Away, Gone, Resting, Unreadable
from command_api.catalogue.tmdb.schemas import Fetched

AHEAD = 64


class Wanted(NamedTuple):
    """A film to ask for, and the mark that it carried when it was fetched the last time."""

    tmdb_id: int
    mark: str | None = None


class Told(NamedTuple):
    """What TMDb said of a film, and when it was asked."""

    tmdb_id: int
    asked_at: datetime
    answer: Fetched | Gone | Unreadable | Away
    """Away: this one could not be had, after some tries; others may be."""


def fetch(tmdb: Tmdb, wanted: Iterable[Wanted]) -> Generator[Told, None, None]:
    """What TMDb says of each; raises the TmdbFault that says nothing more can be had now."""
    waiting: deque[Future[Told]] = deque()
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


def _ask(tmdb: Tmdb, film: Wanted) -> Told:
    asked_at = datetime.now(UTC)
    try:
        return Told(film.tmdb_id, asked_at, tmdb.film(film.tmdb_id, film.mark))
    except (Gone, Unreadable) as fault:
        return Told(film.tmdb_id, asked_at, fault)
    except Away as fault:
        if isinstance(fault, Resting) or fault.seconds is not None:
            raise
        return Told(film.tmdb_id, asked_at, fault)
