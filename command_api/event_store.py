"""Which log do commands append to?"""

from functools import cache

from events.store import EventStore
from events.store.postgres import PostgresStore
from infra.config import config


@cache
def store() -> EventStore:
    """The log of this platform."""
    return PostgresStore(config().partitions)
