"""Fetch queue: the films to fetch from TMDb, and the result of each last fetch.

Bookkeeping: if its rows were lost, films would be fetched once more, and only new facts appended.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from command_api.catalogue.models import TMDB, TmdbFilm
from command_api.catalogue.tmdb.errors import FilmNotFound, TmdbUnavailable
from command_api.catalogue.tmdb.schemas import FetchedFilm
from command_api.sync.fetcher import FetchRequest, FetchResult
from command_api.sync.mapping import clean

RETRY_AFTER = timedelta(minutes=10)
"""Delay before a film that could not be fetched is tried again."""
RETRY_GONE_AFTER = timedelta(days=30)
"""Delay before a film that is gone is tried again: TMDb may have deleted it by mistake."""
_PAGE = 500
_LONGEST_ETAG, _LONGEST_FAULT = 200, 500

# A film that was enqueued again after its request was sent stays in the queue.
_RECORD = """
INSERT INTO tmdb_films AS films (tmdb_id, fetched_at, mark, gone_at, fault)
SELECT * FROM unnest(%s::integer[], %s::timestamptz[], %s::text[], %s::timestamptz[], %s::text[])
ON CONFLICT (tmdb_id) DO UPDATE SET fetched_at = excluded.fetched_at,
    mark = coalesce(excluded.mark, films.mark), gone_at = excluded.gone_at, fault = excluded.fault,
    wanted_at = CASE WHEN films.wanted_at > excluded.fetched_at THEN films.wanted_at END
"""
# Also updates queued films: one may be in flight, and its result recorded after this.
_ENQUEUE = """
INSERT INTO tmdb_films AS films (tmdb_id, wanted_at, fault) SELECT unnest(%s::integer[]), %s, ''
ON CONFLICT (tmdb_id) DO UPDATE SET wanted_at = excluded.wanted_at
"""
_POSTPONE = """
INSERT INTO tmdb_films (tmdb_id, wanted_at, fault)
SELECT * FROM unnest(%s::integer[], %s::timestamptz[], %s::text[])
ON CONFLICT (tmdb_id) DO UPDATE SET wanted_at = excluded.wanted_at, fault = excluded.fault
"""
_ENQUEUE_MISSING = """
INSERT INTO tmdb_films (tmdb_id, wanted_at, fault) SELECT unnest(%s::integer[]), %s, ''
ON CONFLICT DO NOTHING
"""
_LINKED = """
SELECT value::integer FROM external_ids
WHERE source = %s AND value ~ '^[1-9][0-9]{0,8}$'
    AND NOT EXISTS (SELECT FROM tmdb_films WHERE tmdb_id::text = value)
LIMIT %s
"""


def enqueue(tmdb_ids: Collection[int]) -> None:
    """Queue films, also those that were fetched before."""
    _execute(_ENQUEUE, [sorted(set(tmdb_ids)), timezone.now()])


def enqueue_missing(tmdb_ids: Collection[int]) -> None:
    """Queue the films that were never queued."""
    _execute(_ENQUEUE_MISSING, [sorted(set(tmdb_ids)), timezone.now()])


def enqueue_linked(most: int) -> None:
    """Queue movies that another source added with their TMDb ids, at most ``most``."""
    with connection.cursor() as cursor:
        cursor.execute(_LINKED, [TMDB, most])
        enqueue_missing([tmdb_id for (tmdb_id,) in cursor.fetchall()])


def enqueue_oldest(most: int) -> None:
    """Queue the films that were fetched longest ago, at most ``most``."""
    long_ago = timezone.now() - RETRY_GONE_AFTER
    is_due = Q(gone_at=None) | Q(gone_at__lt=long_ago)
    fetched = TmdbFilm.objects.filter(is_due, wanted_at=None)
    enqueue(list(fetched.order_by("fetched_at").values_list("tmdb_id", flat=True)[:most]))


def retry_now() -> None:
    """Make postponed films due now."""
    postponed = TmdbFilm.objects.filter(wanted_at__gt=timezone.now())
    enqueue(list(postponed.values_list("tmdb_id", flat=True)))


def count_waiting() -> int:
    return TmdbFilm.objects.filter(wanted_at__isnull=False).count()


def count_due(until: datetime) -> int:
    return TmdbFilm.objects.filter(wanted_at__lte=until).count()


def count_postponed() -> int:
    """Number of queued films that are retried later."""
    return TmdbFilm.objects.filter(wanted_at__gt=timezone.now()).exclude(fault="").count()


def count_unreadable() -> int:
    """Number of films whose response could not be read or written."""
    return TmdbFilm.objects.filter(wanted_at=None).exclude(fault="").count()


def due_requests(until: datetime) -> Iterator[FetchRequest]:
    """The films that are due at a time, longest due first, each once."""
    last: tuple[datetime, int] | None = None
    while True:
        rows = TmdbFilm.objects.filter(wanted_at__lte=until)
        if last is not None:
            at, tmdb_id = last
            rows = rows.filter(Q(wanted_at__gt=at) | Q(wanted_at=at, tmdb_id__gt=tmdb_id))
        rows = rows.order_by("wanted_at", "tmdb_id")
        page = list(rows.values_list("tmdb_id", "mark", "wanted_at")[:_PAGE])
        if not page:
            return
        yield from (FetchRequest(tmdb_id, mark) for tmdb_id, mark, _ in page)
        tmdb_id, _, wanted_at = page[-1]
        assert wanted_at is not None  # noqa: S101 - the filter excludes null
        last = wanted_at, tmdb_id


def record(results: Sequence[FetchResult]) -> None:
    """Record results and take the films off the queue, or postpone them."""
    # Rows are locked in order of id, so that two transactions don't deadlock.
    last = {result.tmdb_id: result for result in sorted(results, key=lambda each: each.tmdb_id)}
    rows = [
        (tmdb_id, result.requested_at, *_columns(result))
        for tmdb_id, result in last.items()
        if not isinstance(result.outcome, TmdbUnavailable)
    ]
    if rows:
        _execute(_RECORD, [list(column) for column in zip(*rows, strict=True)])
    later = timezone.now() + RETRY_AFTER
    postponed = [
        (tmdb_id, later, clean(str(result.outcome), _LONGEST_FAULT))
        for tmdb_id, result in last.items()
        if isinstance(result.outcome, TmdbUnavailable)
    ]
    if postponed:
        _execute(_POSTPONE, [list(column) for column in zip(*postponed, strict=True)])


def _columns(result: FetchResult) -> tuple[str | None, datetime | None, str]:
    """Columns of a result: ETag, when the film was gone, and why it can't be read."""
    match result.outcome:
        case FetchedFilm(etag=etag):
            can_be_stored = etag and etag.isascii() and len(etag) <= _LONGEST_ETAG
            return etag if can_be_stored else None, None, ""
        case FilmNotFound():
            return None, result.requested_at, ""
        case unreadable:
            return None, None, clean(str(unreadable), _LONGEST_FAULT)


def _execute(sql: str, parameters: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
