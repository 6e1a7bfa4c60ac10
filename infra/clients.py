"""Clients of Redis and Elasticsearch, shared by a process."""

from functools import cache

from elasticsearch import Elasticsearch
from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from infra.config import config

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
def elasticsearch() -> Elasticsearch:
    """Elasticsearch, with a timeout of ten seconds."""
    return Elasticsearch(config().elasticsearch_url, request_timeout=10)
