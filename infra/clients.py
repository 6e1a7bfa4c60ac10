"""Which connections does a process share?"""

from functools import cache

from elasticsearch import Elasticsearch
from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from infra.config import config


@cache
def redis() -> Redis:
    """Redis with bytes as answers; a lost connection is tried again once before the fault shows."""
    return Redis.from_url(
        _redis_url(),
        socket_timeout=10,
        socket_connect_timeout=2,
        retry=Retry(ExponentialBackoff(cap=0.1, base=0.01), 1),
        retry_on_error=[RedisConnectionError],
    )


@cache
def elasticsearch() -> Elasticsearch:
    """The search index."""
    return Elasticsearch(config().elasticsearch_url, request_timeout=10)


def _redis_url() -> str:
    if config().role == "query" and config().query_redis_url:
        return config().query_redis_url
    return config().redis_url
