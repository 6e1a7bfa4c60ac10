"""Which connections does a process share?"""

from functools import cache

from elasticsearch import Elasticsearch
from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from infra.config import config

# redis-py's own limit makes a fault of the 101st thread that asks at once.
_AS_MANY_AS_THREADS = 2**31


@cache
def redis() -> Redis:
    """Redis with bytes as answers; a lost connection is tried again once before the fault shows."""
    return _connect(_redis_url())


def _connect(url: str) -> Redis:
    return Redis.from_url(
        url,
        max_connections=_AS_MANY_AS_THREADS,
        socket_timeout=10,
        socket_connect_timeout=2,
        retry=Retry(ExponentialBackoff(cap=0.1, base=0.01), 1),
        retry_on_error=[RedisConnectionError],
    )


def cache_redis() -> Redis:
    """The same Redis for what is kept for a moment, as whoever may write that."""
    url = config().cache_redis_url
    return _cache_redis(url) if url else redis()


@cache
def _cache_redis(url: str) -> Redis:
    return _connect(url)


@cache
def elasticsearch() -> Elasticsearch:
    """The search index."""
    return Elasticsearch(config().elasticsearch_url, request_timeout=10)


def _redis_url() -> str:
    if config().role == "query" and config().query_redis_url:
        return config().query_redis_url
    return config().redis_url
