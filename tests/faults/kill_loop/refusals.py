"""Servers that refuse writes for some seconds: read-only, out of memory, or with a full disk."""

from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from random import Random
from subprocess import SubprocessError
from time import monotonic

import psycopg2
from redis import Redis
from redis.exceptions import RedisError

from infra.services import postgres
from infra.services.ports import LOOPBACK
from tests.faults.kill_loop.small_disk import SmallDisk

_SECONDS = 3.0
_PASSING = (RedisError, psycopg2.Error, SubprocessError)


class RefusingServer:
    """A victim that is not killed: it refuses writes for some seconds, then accepts them."""

    def __init__(
        self,
        name: str,
        begin: Callable[[], None],
        end: Callable[[], None],
        answers: Callable[[], bool],
    ) -> None:
        self.name = name
        self._begin, self._end, self._answers = begin, end, answers
        self._until: float | None = None

    def kill(self) -> bool:
        """Begin to refuse; return whether it does. False while the server is down."""
        try:
            self._begin()
        except _PASSING:
            return False
        self._until = monotonic() + _SECONDS
        return True

    def is_back(self) -> bool:
        """End the refusal when it is time; whether the server answers again."""
        if self._until is not None and monotonic() >= self._until:
            with suppress(*_PASSING):  # it was killed meanwhile: tried again
                self._end()
                self._until = None
        return self._until is None and self._answers()


def refusing_redis(url: str, random: Random) -> RefusingServer:
    """Redis with full memory, without the replicas it needs, or as a replica."""

    def begin() -> None:
        kinds: Sequence[Callable[[Redis], object]] = (
            lambda redis: redis.config_set("maxmemory", 1),
            lambda redis: redis.config_set("min-replicas-to-write", 1),
            lambda redis: redis.replicaof(LOOPBACK, 1),
        )
        with Redis.from_url(url, socket_timeout=5) as redis:
            random.choice(kinds)(redis)

    def end() -> None:
        with Redis.from_url(url, socket_timeout=5) as redis:
            redis.config_set("maxmemory", 0)
            redis.config_set("min-replicas-to-write", 0)
            redis.replicaof("NO", "ONE")

    def answers() -> bool:
        with suppress(RedisError), Redis.from_url(url, socket_timeout=5) as redis:
            return bool(redis.ping())
        return False

    return RefusingServer("redis refuses writes", begin, end, answers)


def refusing_postgres(url: str) -> RefusingServer:
    """PostgreSQL that is read-only, as a standby is."""
    return RefusingServer(
        "postgres refuses writes",
        lambda: _alter(url, "ALTER SYSTEM SET default_transaction_read_only = on"),
        lambda: _alter(url, "ALTER SYSTEM RESET default_transaction_read_only"),
        lambda: postgres.answers(url),
    )


def _alter(url: str, statement: str) -> None:
    with closing(psycopg2.connect(url, connect_timeout=5)) as session:
        session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute(statement)
            cursor.execute("SELECT pg_reload_conf()")


def full_disk(name: str, disk: SmallDisk, answers: Callable[[], bool]) -> RefusingServer:
    """A server whose disk is full."""
    return RefusingServer(f"{name}'s disk", disk.fill, disk.free, answers)
