"""In-memory Redis: applies a read model's writes, for comparison with a shard.

It supports the commands that a model may write, in their plain forms, and refuses all others; a
test compares it with a real Redis.
"""

from collections.abc import Callable, Iterable, Mapping
from math import isnan
from typing import TypeAlias, TypeVar

from projectors.storage.shard import Write

_Kind = TypeVar("_Kind", "Hash", "RedisSet", "SortedSet")

# Lua has only doubles: an integer beyond this would reach Redis rounded.
_EXACT = 2**53
_LARGEST = 2**63


class UnsupportedWrite(Exception):
    """A write that Redis refuses in a script, or that no model may use."""


class Hash(dict[bytes, bytes]):
    """A hash: field -> value."""


class RedisSet(set[bytes]):
    """A set."""


class SortedSet(dict[bytes, float]):
    """A sorted set: member -> score."""


Value: TypeAlias = bytes | Hash | RedisSet | SortedSet


class InMemoryRedis:
    """Keys and values after some writes."""

    def __init__(self) -> None:
        self._values: dict[str, Value] = {}
        self._commands: Mapping[str, Callable[[str, list[bytes]], None]] = {
            "SET": self._set,
            "DEL": self._del,
            "HSET": self._hset,
            "HDEL": self._hdel,
            "HINCRBY": self._hincrby,
            "SADD": self._sadd,
            "SREM": self._srem,
            "ZADD": self._zadd,
            "ZINCRBY": self._zincrby,
            "ZREM": self._zrem,
        }

    @property
    def values(self) -> Mapping[str, Value]:
        """Key -> value. As in Redis, a key whose value becomes empty is deleted."""
        return self._values

    def apply(self, writes: Iterable[Write]) -> None:
        """Apply commands in order."""
        for name, key, *arguments in writes:
            if not isinstance(name, str) or name not in self._commands:
                raise UnsupportedWrite(f"{name!r} is not a command that a read model may write")
            if not isinstance(key, str):
                raise UnsupportedWrite(f"{name}: a key is a str, not {key!r}")
            self._commands[name](key, [_stored(argument) for argument in arguments])

    def _set(self, key: str, arguments: list[bytes]) -> None:
        if len(arguments) != 1:
            raise UnsupportedWrite("SET takes a value and no options")
        self._values[key] = arguments[0]

    def _del(self, key: str, arguments: list[bytes]) -> None:
        for each in (key, *(argument.decode() for argument in arguments)):
            self._values.pop(each, None)

    def _hset(self, key: str, arguments: list[bytes]) -> None:
        pairs = _pairs("HSET", arguments)
        self._of(Hash, key).update(pairs)

    def _hdel(self, key: str, arguments: list[bytes]) -> None:
        fields = self._of(Hash, key)
        for field in _some("HDEL", arguments):
            fields.pop(field, None)
        self._drop_if_empty(key)

    def _hincrby(self, key: str, arguments: list[bytes]) -> None:
        [(field, by)] = _pairs("HINCRBY", arguments)
        fields = self._of(Hash, key)
        total = _integer(fields.get(field, b"0")) + _integer(by)
        if not -_LARGEST <= total < _LARGEST:
            raise UnsupportedWrite(f"HINCRBY {key}: overflow")
        fields[field] = str(total).encode()

    def _sadd(self, key: str, arguments: list[bytes]) -> None:
        self._of(RedisSet, key).update(_some("SADD", arguments))

    def _srem(self, key: str, arguments: list[bytes]) -> None:
        self._of(RedisSet, key).difference_update(_some("SREM", arguments))
        self._drop_if_empty(key)

    def _zadd(self, key: str, arguments: list[bytes]) -> None:
        ranks = {member: _number(score) for score, member in _pairs("ZADD", arguments)}
        self._of(SortedSet, key).update(ranks)

    def _zincrby(self, key: str, arguments: list[bytes]) -> None:
        [(by, member)] = _pairs("ZINCRBY", arguments)
        ranks = self._of(SortedSet, key)
        ranks[member] = ranks.get(member, 0.0) + _number(by)

    def _zrem(self, key: str, arguments: list[bytes]) -> None:
        ranks = self._of(SortedSet, key)
        for member in _some("ZREM", arguments):
            ranks.pop(member, None)
        self._drop_if_empty(key)

    def _of(self, kind: type[_Kind], key: str) -> _Kind:
        value = self._values.setdefault(key, kind())
        if not isinstance(value, kind):
            raise UnsupportedWrite(f"{key} holds a {type(value).__name__}, not a {kind.__name__}")
        return value

    def _drop_if_empty(self, key: str) -> None:
        if not self._values[key]:
            del self._values[key]


def _stored(argument: str | int | bytes) -> bytes:
    match argument:
        case str():
            return argument.encode()
        case int() if -_EXACT <= argument <= _EXACT:
            return str(int(argument)).encode()
        case int():
            raise UnsupportedWrite(f"Lua would round {argument}: write it as a str")
        case bytes():
            # Redis's msgpack is older than the byte string of that format.
            raise UnsupportedWrite("A write's arguments are str or int, not bytes")


def _pairs(name: str, arguments: list[bytes]) -> list[tuple[bytes, bytes]]:
    _some(name, arguments)
    if len(arguments) % 2:
        raise UnsupportedWrite(f"{name} takes pairs, and no options")
    return list(zip(arguments[::2], arguments[1::2], strict=True))


def _some(name: str, arguments: list[bytes]) -> list[bytes]:
    if not arguments:
        raise UnsupportedWrite(f"{name} without arguments")
    return arguments


def _integer(text: bytes) -> int:
    try:
        number = int(text)
    except ValueError as error:
        raise UnsupportedWrite(f"{text!r} is no integer") from error
    if str(number).encode() != text:
        raise UnsupportedWrite(f"{text!r} is not how Redis writes an integer")
    return number


def _number(text: bytes) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise UnsupportedWrite(f"{text!r} is no number") from error
    if isnan(number):
        raise UnsupportedWrite("nan is no score")
    return number
