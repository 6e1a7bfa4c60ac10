"""What does a sync do, kind by kind? Each may be stopped anywhere, and done again at will."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

from django.utils import timezone

from command_api.catalogue.genres import translate
from command_api.catalogue.models import TMDB, ExternalId, SyncRun, TmdbFilm
from command_api.catalogue.tmdb.client import LAST_PAGE, Window
from command_api.catalogue.tmdb.errors import TmdbUnavailable
from command_api.catalogue.tmdb.schemas import LARGEST_ID, FilmRef, ResultPage
from command_api.imports.session import ImportBusy
from command_api.sync import fetch_queue
from command_api.sync.fetcher import FetchRequest
from command_api.sync.job_context import JobContext
from command_api.sync.upsert import bring
from command_api.trends.decider import ObserveTrend
from command_api.trends.handler import observe
from infra.config import config
from infra.progress_bar import Advance

JobKind: TypeAlias = Literal["genres", "lists", "changes", "oldest", "trending", "films"]

TRENDING_PAGES = 5
OLDEST = 2_000
"""Films that are looked at again each night; with 60,000 of them each once a month."""
LONGEST_RANGE = timedelta(days=14)
_MARGIN = timedelta(hours=3)
"""What the last run may have missed that went on with the pages of one before."""


def genres(run: JobContext, _: SyncRun) -> None:
    """Does our table have a word for each of TMDb's genres?"""
    told = translate(genre.name for genre in run.tmdb.genres().genres)
    for name in told.unknown:
        run.tell(f"our table of genres lacks {name}")


def lists(run: JobContext, row: SyncRun) -> None:
    """The first fill: the popular and the top rated, page by page, until there are enough."""
    left = config().tmdb_first_fill - TmdbFilm.objects.count()
    if left > 0 and row.cursor < LAST_PAGE:
        with run.watched("lists", left) as advance:
            _list(run, row, advance)


def _list(run: JobContext, row: SyncRun, advance: Advance) -> None:
    pages = LAST_PAGE
    while row.cursor < pages and TmdbFilm.objects.count() < config().tmdb_first_fill:
        found = [run.tmdb.listed(name, row.cursor + 1) for name in ("popular", "top_rated")]
        ids = _ids(run, *found)
        known = TmdbFilm.objects.filter(pk__in=ids).values_list("pk", flat=True)
        new = [id_ for id_ in ids if id_ not in set(known)]
        wanted = new[: config().tmdb_first_fill - TmdbFilm.objects.count()]
        fetch_queue.enqueue_missing(wanted)
        advance(len(wanted))
        row.cursor += 1
        pages = min(LAST_PAGE, max(page.total_pages for page in found))
        run.counts["pages"] += 2
        if row.cursor >= pages:
            row.cursor = LAST_PAGE  # the lists end here: nothing is left to ask for
        run.note()
        if run.is_over():
            return


def changes(run: JobContext, row: SyncRun) -> None:
    """Which of the films that we have changed since the last time?"""
    today = datetime.now(UTC).date()
    since = (row.done_at - _MARGIN if row.done_at else datetime.now(UTC) - timedelta(days=1)).date()
    for page in run.tmdb.changes(max(since, today - LONGEST_RANGE), today, row.cursor + 1):
        ids = [str(id_) for id_ in _ids(run, page)]
        ours = ExternalId.objects.filter(source=TMDB, value__in=ids)
        fetch_queue.enqueue([int(value) for value in ours.values_list("value", flat=True)])
        run.counts["pages"] += 1
        row.cursor = page.page
        run.note()
        if run.is_over():
            return
    row.cursor = 0


def oldest(_run: JobContext, _: SyncRun) -> None:
    """Those that nobody looked at for longest, and those that were never looked at."""
    fetch_queue.enqueue_linked(OLDEST)
    fetch_queue.enqueue_oldest(OLDEST)


def films(run: JobContext, _: SyncRun) -> None:
    """Fetch what is wished for."""
    now = timezone.now()
    with run.watched("films", fetch_queue.count_due(now)) as advance:
        bring(fetch_queue.due_requests(now), run, advance)


def trending(run: JobContext, _: SyncRun) -> None:
    """What is in fashion there, by day and by week; films of it that we lack come first."""
    windows: tuple[Window, ...] = ("day", "week")
    # Both before any film is: these may be limited for long, or be broken.
    told = [(window, datetime.now(UTC), _trend(run, window)) for window in windows]
    for window, at, ids in told:
        movies = _movies(ids)
        # What can't be had now is wished for by changes, or looked at again by night.
        hopeless = TmdbFilm.objects.filter(tmdb_id__in=ids).exclude(gone_at=None, fault="")
        unwanted = {*movies, *hopeless.values_list("tmdb_id", flat=True)}
        if missing := [id_ for id_ in ids if id_ not in unwanted]:
            try:
                with run.watched(f"films of the {window}", len(missing)) as advance:
                    bring((FetchRequest(id_) for id_ in missing), run, advance)
            except (
                TmdbUnavailable,
                ImportBusy,
            ) as fault:  # a board without them is better than an old one
                run.tell(f"films of the {window} that we lack: {fault}")
            movies = _movies(ids)
        board = tuple(dict.fromkeys(movies[id_] for id_ in ids if id_ in movies))
        command = ObserveTrend(
            board=f"{TMDB}-{window}", source=TMDB, window=window, movies=board, at=at
        )
        run.counts["events"] += len(observe(command, run.store, origin=run.origin))
        run.note()


def _trend(run: JobContext, window: Window) -> list[int]:
    pages = [run.tmdb.trending(window, number) for number in range(1, TRENDING_PAGES + 1)]
    return _ids(run, *pages)


def _ids(run: JobContext, *pages: ResultPage[FilmRef]) -> list[int]:
    """Each film of the pages once, without those whose number no film of ours could have."""
    ids = list(dict.fromkeys(film.id for page in pages for film in page.results))
    for id_ in ids:
        if not 0 < id_ <= LARGEST_ID:
            run.tell(f"TMDb lists a film {id_}, which is no number of a film: left out")
    return [id_ for id_ in ids if 0 < id_ <= LARGEST_ID]


def _movies(tmdb_ids: list[int]) -> dict[int, int]:
    links = ExternalId.objects.filter(source=TMDB, value__in=[str(id_) for id_ in tmdb_ids])
    return {int(value): movie for value, movie in links.values_list("value", "movie")}


JOBS: Mapping[JobKind, Callable[[JobContext, SyncRun], None]] = {
    "genres": genres,
    "lists": lists,
    "changes": changes,
    "oldest": oldest,
    "trending": trending,
    "films": films,
}
