"""Fixtures of the sync: a fake TMDb, settings, jobs and the log."""

import msgspec
import pytest

from command_api.catalogue.tmdb import client
from command_api.sync import jobs, upsert
from command_api.sync.job_runner import run_job
from events.store.postgres import PostgresStore
from infra import clients
from infra.config import config
from infra.fake_tmdb import FilmCatalogue, running
from tests.fixtures import tmdb

FILMS = 130


@pytest.fixture
def fake_tmdb():
    """Fake TMDb with fewer films."""
    with running(FilmCatalogue.of_demo_catalogue(FILMS), per_second=100_000) as server:
        yield server


@pytest.fixture
def settings(fake_tmdb, monkeypatch):
    """Connect the sync to the fake TMDb; returns a function that changes settings."""
    tmdb_settings = tmdb.settings(fake_tmdb, tmdb_first_fill=FILMS)

    def change(**changes):
        nonlocal tmdb_settings
        tmdb_settings = msgspec.structs.replace(tmdb_settings, **changes)
        for module in (client, upsert, jobs):
            monkeypatch.setattr(module, "config", lambda: tmdb_settings)

    change()
    monkeypatch.setattr(client, "_FIRST_PAUSE_SECONDS", 0.01)
    return change


@pytest.fixture
def store(db, redis_url):
    """The log; what the test writes is rolled back."""
    clients.redis().ping()  # the thread that publishes hints needs an open connection
    return PostgresStore(config().partitions)


@pytest.fixture
def sync(store, settings):
    """Run jobs one after the other and return the last one's row."""

    def _sync(*kinds, **options):
        return [run_job(kind, **options) for kind in kinds][-1]

    return _sync


@pytest.fixture
def log(store):
    """Streams and events of the log, in order."""

    def read():
        return [
            (recorded.stream, recorded.event)
            for partition in range(store.partitions)
            for recorded in store.page(partition, after=0, limit=1_000_000)
        ]

    return read
