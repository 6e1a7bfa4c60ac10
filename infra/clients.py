"""Clients of Redis and Elasticsearch that a process shares, and the errors when one is away."""

from functools import cache
from typing import TYPE_CHECKING

from django.db import InterfaceError, OperationalError
from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from infra.config import config

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

AWAY = (OperationalError, InterfaceError, RedisConnectionError, RedisTimeoutError)
"""Raised when a database or Redis can't be reached."""

# redis-py's default limit of 100 raises an error in the 101st concurrent thread.
_UNLIMITED_CONNECTIONS = 2**31


@cache
def redis() -> Redis:
    """Redis with replies as bytes; retries once when the connection is lost."""
    settings = config()
    is_query = settings.role == "query"
    return _connect((is_query and settings.query_redis_url) or settings.redis_url)


def _connect(url: str) -> Redis:
    return Redis.from_url(
        url,
        max_connections=_UNLIMITED_CONNECTIONS,
        socket_timeout=10,
        socket_connect_timeout=2,
        retry=Retry(ExponentialBackoff(cap=0.1, base=0.01), 1),
        retry_on_error=[RedisConnectionError],
    )


def cache_redis() -> Redis:
    """Redis connected as the user that may write caches; by default the same as ``redis``."""
    url = config().cache_redis_url
    return _cache_redis(url) if url else redis()


@cache
def _cache_redis(url: str) -> Redis:
    return _connect(url)


@cache
def elasticsearch() -> "Elasticsearch":
    """Elasticsearch, with a timeout of ten seconds."""
    # A third of the time that a process takes to start, and most never search.
    from elasticsearch import Elasticsearch  # noqa: PLC0415 - see above

    return Elasticsearch(config().elasticsearch_url, request_timeout=10)
