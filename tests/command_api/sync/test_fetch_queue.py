"""Fetch queue: concurrent writers don't deadlock.

They may write the same films at once, in any order. A writer locks rows in order of id: it waits
for the first row that another holds, and holds no row after it.
"""

from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from command_api.catalogue.models import TmdbFilm
from command_api.catalogue.tmdb.errors import TmdbUnavailable
from command_api.catalogue.tmdb.schemas import FetchedFilm
from command_api.sync import fetch_queue
from command_api.sync.fetcher import FetchResult
from tests.fixtures.waiting import until

FIRST, TAKEN, LAST = 1, 2, 3
PATIENCE_SECONDS = 60.0


def note(answer):
    now = timezone.now()
    fetch_queue.record([FetchResult(film, now, answer) for film in (LAST, TAKEN, FIRST)])


@pytest.fixture
def films(log_database):
    """Three postponed films, the last of them due first."""
    now = timezone.now()
    for film in (FIRST, TAKEN, LAST):
        TmdbFilm.objects.create(tmdb_id=film, wanted_at=now + timedelta(hours=9 - film))


@pytest.fixture
def locked_film(films):
    """Another session locks the middle film; returns its rollback."""
    other = connection.copy()
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("SELECT FROM tmdb_films WHERE tmdb_id = %s FOR UPDATE", [TAKEN])
    yield other.rollback
    other.close()


def is_session_waiting():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()[0] > 0


@pytest.mark.parametrize(
    "work",
    [
        lambda: note(FetchedFilm(None, "mark")),
        lambda: note(TmdbUnavailable("TMDb is away")),
        lambda: fetch_queue.enqueue([LAST, TAKEN, FIRST]),
        fetch_queue.retry_now,
    ],
    ids=["record fetched", "record postponed", "enqueue", "retry_now"],
)
def test_fetch_queue_locks_rows_in_order_of_id(locked_film, work):
    def in_a_session_of_its_own():
        try:
            work()
        finally:
            connections.close_all()

    worker = Thread(target=in_a_session_of_its_own)
    worker.start()
    try:
        until(lambda: is_session_waiting() or not worker.is_alive())
        assert worker.is_alive()
        with transaction.atomic():
            free = TmdbFilm.objects.select_for_update(skip_locked=True)
            assert [film.pk for film in free] == [LAST]
    finally:
        locked_film()
        worker.join(PATIENCE_SECONDS)
    assert not worker.is_alive()
