"""The event store that commands append to."""

from functools import cache

from events.store import EventStore
from events.store.postgres import PostgresStore
from infra.config import config


@cache
def store() -> EventStore:
    return PostgresStore(config().partitions)
