"""Fixtures of the catalogue: the log, and commands on it."""

from uuid import uuid4

import pytest

from command_api.catalogue import movie_lookup
from command_api.catalogue.bulk_commands import handle_all
from events.recorded import Origin
from events.store.postgres import PostgresStore
from infra import clients
from infra.config import config


@pytest.fixture
def store(db, redis_url):
    """The log; what the test writes is rolled back."""
    clients.redis().ping()  # the thread that publishes hints needs an open connection
    movie_lookup.clear_cache()
    return PostgresStore(config().partitions)


@pytest.fixture
def origin():
    """Origin of the test's events."""
    return Origin(correlation_id=uuid4())


@pytest.fixture
def handle_commands(store, origin):
    """Handle commands about movies as the platform does."""

    def _handle_commands(*commands):
        return handle_all(commands, store, origin=origin)

    return _handle_commands
