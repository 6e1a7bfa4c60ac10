"""Sync jobs: genres, lists, changes, oldest, trending, films. Each is idempotent and resumable."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

from django.utils import timezone

from command_api.catalogue.genres import translate
from command_api.catalogue.models import TMDB, ExternalId, TmdbFilm
from command_api.catalogue.tmdb.client import LAST_PAGE, Window
from command_api.catalogue.tmdb.errors import TmdbUnavailable
from command_api.catalogue.tmdb.schemas import LARGEST_ID, FilmRef, ResultPage
from command_api.imports.session import ImportBusy
from command_api.sync import fetch_queue
from command_api.sync.fetcher import FetchRequest
from command_api.sync.job_context import JobContext
from command_api.sync.upsert import fetch_and_upsert
from command_api.trends.decider import ObserveTrend
from command_api.trends.handler import observe
from infra.config import config
from infra.progress_bar import Advance

JobKind: TypeAlias = Literal["genres", "lists", "changes", "oldest", "trending", "films"]

TRENDING_PAGES = 5
OLDEST = 2_000
"""Films that are fetched again each night: of 60,000 each one once a month."""
LONGEST_RANGE = timedelta(days=14)
_MARGIN = timedelta(hours=3)
"""Overlap with the last run: if it resumed an older one, pages may have shifted meanwhile."""


def genres(job: JobContext) -> None:
    """Warn of genres of TMDb that our table lacks."""
    translated = translate(genre.name for genre in job.tmdb.genres().genres)
    for name in translated.unknown:
        job.warn(f"unknown genre, left out: {name}")


def lists(job: JobContext) -> None:
    """First fill: queue popular and top-rated films, page by page, until there are enough."""
    missing = config().tmdb_first_fill - TmdbFilm.objects.count()
    if missing > 0 and job.row.cursor < LAST_PAGE:
        with job.progress("lists", missing) as advance:
            _queue_lists(job, advance)


def _queue_lists(job: JobContext, advance: Advance) -> None:
    pages = LAST_PAGE
    while job.row.cursor < pages and TmdbFilm.objects.count() < config().tmdb_first_fill:
        lists = [job.tmdb.listed(name, job.row.cursor + 1) for name in ("popular", "top_rated")]
        ids = _ids(job, *lists)
        known = TmdbFilm.objects.filter(pk__in=ids).values_list("pk", flat=True)
        new = [id_ for id_ in ids if id_ not in set(known)]
        new = new[: config().tmdb_first_fill - TmdbFilm.objects.count()]
        fetch_queue.enqueue_missing(new)
        advance(len(new))
        job.row.cursor += 1
        pages = min(LAST_PAGE, max(page.total_pages for page in lists))
        job.counts["pages"] += 2
        if job.row.cursor >= pages:
            job.row.cursor = LAST_PAGE  # the lists end here
        job.save()
        if job.is_over():
            return


def changes(job: JobContext) -> None:
    """Queue the films of the catalogue that changed since the last complete run."""
    today = datetime.now(UTC).date()
    done_at = job.row.done_at
    since = (done_at - _MARGIN if done_at else datetime.now(UTC) - timedelta(days=1)).date()
    for page in job.tmdb.changes(max(since, today - LONGEST_RANGE), today, job.row.cursor + 1):
        ids = [str(id_) for id_ in _ids(job, page)]
        ours = ExternalId.objects.filter(source=TMDB, value__in=ids)
        fetch_queue.enqueue([int(value) for value in ours.values_list("value", flat=True)])
        job.counts["pages"] += 1
        job.row.cursor = page.page
        job.save()
        if job.is_over():
            return
    job.row.cursor = 0


def oldest(_: JobContext) -> None:
    """Queue the films that were fetched longest ago, and linked movies that never were."""
    fetch_queue.enqueue_linked(OLDEST)
    fetch_queue.enqueue_oldest(OLDEST)


def films(job: JobContext) -> None:
    now = timezone.now()
    with job.progress("films", fetch_queue.count_due(now)) as advance:
        fetch_and_upsert(fetch_queue.due_requests(now), job, advance)


def trending(job: JobContext) -> None:
    """Record TMDb's trending boards of day and week, after fetching films that are missing."""
    windows: tuple[Window, ...] = ("day", "week")
    # Both boards before any film: films may be rate-limited for long.
    boards = [(window, datetime.now(UTC), _trend(job, window)) for window in windows]
    for window, at, ids in boards:
        movies = _movies(ids)
        # Films that failed before are left to the jobs that retry them.
        failed = TmdbFilm.objects.filter(tmdb_id__in=ids).exclude(gone_at=None, fault="")
        skipped = {*movies, *failed.values_list("tmdb_id", flat=True)}
        if missing := [id_ for id_ in ids if id_ not in skipped]:
            _fetch_missing(missing, window, job)
            movies = _movies(ids)
        board = tuple(dict.fromkeys(movies[id_] for id_ in ids if id_ in movies))
        command = ObserveTrend(
            board=f"{TMDB}-{window}", source=TMDB, window=window, movies=board, at=at
        )
        job.counts["events"] += len(observe(command, job.store, origin=job.origin))
        job.save()


def _fetch_missing(tmdb_ids: list[int], window: Window, job: JobContext) -> None:
    """Fetch films of a board; without them the board is still newer than the last one."""
    try:
        with job.progress(f"films of the {window}", len(tmdb_ids)) as advance:
            fetch_and_upsert((FetchRequest(id_) for id_ in tmdb_ids), job, advance)
    except (TmdbUnavailable, ImportBusy) as fault:
        job.warn(f"missing films of the {window}: {fault}")


def _trend(job: JobContext, window: Window) -> list[int]:
    pages = [job.tmdb.trending(window, number) for number in range(1, TRENDING_PAGES + 1)]
    return _ids(job, *pages)


def _ids(job: JobContext, *pages: ResultPage[FilmRef]) -> list[int]:
    """Each film of the pages once, without ids out of range."""
    ids = list(dict.fromkeys(film.id for page in pages for film in page.results))
    for id_ in ids:
        if not 0 < id_ <= LARGEST_ID:
            job.warn(f"TMDb lists film {id_}, an id out of range: left out")
    return [id_ for id_ in ids if 0 < id_ <= LARGEST_ID]


def _movies(tmdb_ids: list[int]) -> dict[int, int]:
    links = ExternalId.objects.filter(source=TMDB, value__in=[str(id_) for id_ in tmdb_ids])
    return {int(value): movie for value, movie in links.values_list("value", "movie")}


JOBS: Mapping[JobKind, Callable[[JobContext], None]] = {
    "genres": genres,
    "lists": lists,
    "changes": changes,
    "oldest": oldest,
    "trending": trending,
    "films": films,
}
