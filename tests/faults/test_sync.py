"""TMDb sync: the same result under all faults and a killed worker."""

import sys
import time
from collections import Counter

import pytest
from django.utils import timezone

from command_api.catalogue import inline_projection, models
from command_api.catalogue.decider import MovieFacts
from command_api.catalogue.id_allocation import TMDB_BASE
from command_api.catalogue.models import SyncRun, TmdbFilm
from events.catalogue import MovieAdded
from events.store.postgres import PostgresStore
from infra.config import config
from infra.fake_tmdb import FilmCatalogue, InjectedFault, running
from infra.fake_tmdb.faults import Kind
from infra.fake_tmdb.server import TOKEN
from infra.platform.processes import Process
from tests.fixtures.tmdb import ask_for

FILMS = 160
PER_SECOND = 80
PATIENCE_SECONDS = 90.0


@pytest.fixture
def tmdb():
    """Fake TMDb with a rate limit, so that a sync takes a while."""
    with running(FilmCatalogue.of_demo_catalogue(FILMS), per_second=PER_SECOND) as server:
        yield server


@pytest.fixture
def worker(log_database, redis_url, bus_url, tmdb, tmp_path):
    """Celery worker; the test restarts it after killing it."""
    environ = {
        "MARQUEE_ROLE": "ops",
        "MARQUEE_TMDB_URL": tmdb.url,
        "MARQUEE_TMDB_TOKEN": TOKEN,
        "MARQUEE_TMDB_PER_SECOND": str(PER_SECOND),
        "MARQUEE_TMDB_FIRST_FILL": str(FILMS),
    }
    command = [sys.executable, "-m", "celery", "-A", "infra.celery", "worker", "--pool", "solo"]
    process = Process("worker", command, environ, tmp_path / "worker.log")
    process.start()
    yield process
    process.stop()


def wait(condition, process):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, process.log_tail()
        assert not process.has_ended(), process.log_tail()
        time.sleep(0.02)


def state(kind):
    row = SyncRun.objects.filter(kind=kind).first()
    return row and row.state


def finish(kind, process):
    """Request the sync again, as the clock does, until its run is done."""
    while state(kind) != SyncRun.State.DONE:
        before = SyncRun.objects.filter(kind=kind).values_list("begun_at", flat=True).first()
        other_runs = SyncRun.objects.filter(kind=kind).exclude(begun_at=before)
        ask_for(kind)
        wait(other_runs.exclude(state=SyncRun.State.RUNNING).exists, process)


def inject_faults(tmdb, *kinds: Kind):
    for kind in kinds:
        tmdb.faults.add(InjectedFault(kind, path="/movie/"))


def facts_of(film) -> MovieFacts:
    """Facts that the catalogue should have of a film, computed independently."""
    return MovieFacts(
        title=film["title"],
        year=int(film["release_date"][:4]),
        genres=tuple(genre["name"] for genre in film["genres"]),
        cast=tuple(person["name"] for person in film["credits"]["cast"]),
        overview=film["overview"],
        poster_url=f"https://image.tmdb.org/t/p/w500{film['poster_path']}",
        directors=tuple(
            person["name"] for person in film["credits"]["crew"] if person["job"] == "Director"
        ),
    )


def added_movies():
    store = PostgresStore(config().partitions)
    return Counter(
        recorded.event.movie_id
        for partition in range(store.partitions)
        for recorded in store.page(partition, after=0, limit=1_000_000)
        if isinstance(recorded.event, MovieAdded)
    )


def test_sync_ends_the_same_when_its_worker_is_killed_half_way(worker, tmdb):
    inject_faults(tmdb, "html", "cut", "offline", "torn", "limited", "fault")
    finish("lists", worker)
    assert TmdbFilm.objects.count() == FILMS
    ask_for("films")
    wait(models.Movie.objects.exists, worker)
    worker.stop(worker.stop_signal.SIGKILL)
    assert 0 < models.Movie.objects.count() < FILMS
    assert state("films") == SyncRun.State.RUNNING  # the killed worker could not write its end

    inject_faults(tmdb, "cut", "html", "limited", "slow")
    worker.start()
    finish("films", worker)
    finish("trending", worker)
    ids = {TMDB_BASE + film: film for film in tmdb.films.ids()}
    assert added_movies() == Counter(ids.keys())
    states = inline_projection.movie_states(list(ids))
    films = {movie: tmdb.films.get(film) for movie, film in ids.items()}
    assert {movie: states[movie].facts for movie in states} == {
        movie: facts_of(film) for movie, film in films.items()
    }

    heads = PostgresStore(config().partitions).heads()
    TmdbFilm.objects.update(wanted_at=timezone.now(), mark=None)
    SyncRun.objects.all().delete()
    for kind in ("films", "trending"):
        finish(kind, worker)
    assert PostgresStore(config().partitions).heads() == heads
