"""Clients of Redis and Elasticsearch that a process shares, and the errors of stores that fail.

A store fails when it can't be reached, when it is lost in the middle of an answer, and when it
refuses to work: it is full, read-only, or starting. All of that passes, so it is 503, never 500.
"""

import errno
import os
from functools import cache
from typing import TYPE_CHECKING

import psycopg2
from django.db import DatabaseError, InterfaceError, OperationalError
from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import (
    ClusterDownError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from infra.config import config

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

_AWAY = (OperationalError, InterfaceError, RedisConnectionError, RedisTimeoutError)
_REFUSED_WRITES = (OutOfMemoryError, ReadOnlyError)
# Codes for which redis-py has no class: it can't write its file; too few replicas.
_REFUSED_WRITES_CODES = ("MISCONF ", "NOREPLICAS ")
_REFUSED_ALL = (MasterDownError, ClusterDownError, TryAgainError)
_REFUSED_ALL_CODES = ("BUSY ",)  # a script runs for too long
_OF_PIPELINE = " of pipeline caused error: "  # redis-py's, before Redis's own words
# Read-only (a standby after a failover); a session ended while it was idle in a transaction.
_PASSING_SQLSTATES = frozenset({"25006", "25P03", "25P04"})
# A quota, a limit of file sizes, a disk that became read-only: PostgreSQL has no SQLSTATE for them
# and calls them an internal error, or a lack of privileges.
_CANNOT_WRITE = tuple(map(os.strerror, (errno.EDQUOT, errno.EFBIG, errno.EROFS)))

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


def is_store_failure(fault: BaseException) -> bool:
    """Whether a data store can't be reached, was lost in an answer, or refuses to work."""
    match fault:
        case DatabaseError():
            return isinstance(fault, _AWAY) or _passes(fault.__cause__)
        case RedisError():
            return isinstance(fault, (*_AWAY, *_REFUSED_ALL)) or _refuses(fault)
        case _:
            return isinstance(fault, _AWAY)


def refuses_writes(fault: RedisError) -> bool:
    """Whether Redis answers reads only: its memory or disk is full, or it is a replica."""
    return isinstance(fault, _REFUSED_WRITES) or (
        isinstance(fault, ResponseError) and _words(fault).startswith(_REFUSED_WRITES_CODES)
    )


def _refuses(fault: RedisError) -> bool:
    return refuses_writes(fault) or _words(fault).startswith(_REFUSED_ALL_CODES)


def _words(fault: RedisError) -> str:
    return str(fault).rpartition(_OF_PIPELINE)[2]


def _passes(cause: BaseException | None) -> bool:
    """Whether the driver's error is of a connection that was lost, or of a server that refuses.

    An error without a SQLSTATE is not the server's but the driver's: the answer was cut off.
    """
    if not isinstance(cause, psycopg2.Error) or cause.pgcode is None:
        return type(cause) is psycopg2.DatabaseError
    reason = cause.diag.message_primary or ""
    return cause.pgcode in _PASSING_SQLSTATES or reason.endswith(_CANNOT_WRITE)
