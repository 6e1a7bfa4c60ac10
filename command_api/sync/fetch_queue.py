"""Which films are to be fetched, and what became of those that were?

Rows of bookkeeping, not of the catalogue: were they lost, films would be fetched once more, and
nothing that is not new would be appended.
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

AGAIN_AFTER = timedelta(minutes=10)
"""When a film is asked for again that could not be had, though others could."""
LOOKED_FOR_AGAIN_AFTER = timedelta(days=30)
"""When a film is asked for again that was gone: it may have been a mistake of TMDb's."""
_PAGE = 500
_LONGEST_MARK, _LONGEST_FAULT = 200, 500

# Who was wished for again after it was asked for stays wished for.
_RECORD = """
INSERT INTO tmdb_films AS films (tmdb_id, fetched_at, mark, gone_at, fault)
SELECT * FROM unnest(%s::integer[], %s::timestamptz[], %s::text[], %s::timestamptz[], %s::text[])
ON CONFLICT (tmdb_id) DO UPDATE SET fetched_at = excluded.fetched_at,
    mark = coalesce(excluded.mark, films.mark), gone_at = excluded.gone_at, fault = excluded.fault,
    wanted_at = CASE WHEN films.wanted_at > excluded.fetched_at THEN films.wanted_at END
"""
# Also who is wished for already: it may be being fetched just now, and be noted after this.
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
    """Have them fetched (again)."""
    _execute(_ENQUEUE, [sorted(set(tmdb_ids)), timezone.now()])


def enqueue_missing(tmdb_ids: Collection[int]) -> None:
    """Have those fetched that nobody wished for yet."""
    _execute(_ENQUEUE_MISSING, [sorted(set(tmdb_ids)), timezone.now()])


def enqueue_linked(most: int) -> None:
    """The same for movies of ours that came by another way with their ids at TMDb."""
    with connection.cursor() as cursor:
        cursor.execute(_LINKED, [TMDB, most])
        enqueue_missing([tmdb_id for (tmdb_id,) in cursor.fetchall()])


def enqueue_oldest(most: int) -> None:
    """Have those fetched again that were not looked at for longest."""
    long_ago = timezone.now() - LOOKED_FOR_AGAIN_AFTER
    is_due = Q(gone_at=None) | Q(gone_at__lt=long_ago)
    fetched = TmdbFilm.objects.filter(is_due, wanted_at=None)
    enqueue(list(fetched.order_by("fetched_at").values_list("tmdb_id", flat=True)[:most]))


def retry_now() -> None:
    """Have those fetched now that are to be asked for again later."""
    postponed = TmdbFilm.objects.filter(wanted_at__gt=timezone.now())
    enqueue(list(postponed.values_list("tmdb_id", flat=True)))


def count_waiting() -> int:
    """How many are still to be fetched."""
    return TmdbFilm.objects.filter(wanted_at__isnull=False).count()


def count_due(until: datetime) -> int:
    """How many of these were to be fetched then."""
    return TmdbFilm.objects.filter(wanted_at__lte=until).count()


def count_postponed() -> int:
    """How many of those that wait could not be had, and are asked for again later."""
    return TmdbFilm.objects.filter(wanted_at__gt=timezone.now()).exclude(fault="").count()


def count_unreadable() -> int:
    """How many were fetched, but can't be read or kept."""
    return TmdbFilm.objects.filter(wanted_at=None).exclude(fault="").count()


def due_requests(until: datetime) -> Iterator[FetchRequest]:
    """Those that were to be fetched then, who waits longest first; each once."""
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
        assert wanted_at is not None  # noqa: S101 - so the question said
        last = wanted_at, tmdb_id


def record(told: Sequence[FetchResult]) -> None:
    """Remember what became of these."""
    # Rows are locked in order of id, so that nobody waits for one another in a ring.
    last = {each.tmdb_id: each for each in sorted(told, key=lambda each: each.tmdb_id)}
    rows = [
        (tmdb_id, each.asked_at, *_became(each))
        for tmdb_id, each in last.items()
        if not isinstance(each.answer, TmdbUnavailable)
    ]
    if rows:
        _execute(_RECORD, [list(column) for column in zip(*rows, strict=True)])
    later = timezone.now() + AGAIN_AFTER
    postponed = [
        (tmdb_id, later, clean(str(each.answer), _LONGEST_FAULT))
        for tmdb_id, each in last.items()
        if isinstance(each.answer, TmdbUnavailable)
    ]
    if postponed:
        _execute(_POSTPONE, [list(column) for column in zip(*postponed, strict=True)])


def _became(told: FetchResult) -> tuple[str | None, datetime | None, str]:
    """Its mark, since when it is gone, and why it can't be read."""
    match told.answer:
        case FetchedFilm(mark=mark):
            can_be_kept = mark and mark.isascii() and len(mark) <= _LONGEST_MARK
            return mark if can_be_kept else None, None, ""
        case FilmNotFound():
            return None, told.asked_at, ""
        case unreadable:
            return None, None, clean(str(unreadable), _LONGEST_FAULT)


def _execute(sql: str, parameters: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
