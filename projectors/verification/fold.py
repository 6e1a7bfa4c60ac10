"""In-memory Redis: applies a read model's writes, for comparison with a shard.

It supports the commands that a model may write, in their plain forms, and refuses all others; a
test compares it with a real Redis.
"""

from collections.abc import Callable, Iterable, Mapping
from math import isnan
from typing import Any, TypeAlias

from projectors.storage.shard import Write

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
    """Keys and values after some writes. As in Redis, a key that becomes empty is deleted."""

    def __init__(self) -> None:
        self.values: dict[str, Value] = {}

    def apply(self, writes: Iterable[Write]) -> None:
        for name, key, *given in writes:
            if not isinstance(key, str):
                raise UnsupportedWrite(f"{name}: a key is a str, not {key!r}")
            arguments = [_stored(argument) for argument in given]
            if name == "SET":
                if len(arguments) != 1:
                    raise UnsupportedWrite("SET takes a value and no options")
                self.values[key] = arguments[0]
            elif name == "DEL":
                for each in (key, *map(bytes.decode, arguments)):
                    self.values.pop(each, None)
            else:
                self._change(str(name), key, arguments)

    def _change(self, name: str, key: str, arguments: list[bytes]) -> None:
        if name not in _CHANGES:
            raise UnsupportedWrite(f"{name!r} is not a command that a read model may write")
        kind, change = _CHANGES[name]
        if not arguments:
            raise UnsupportedWrite(f"{name} without arguments")
        value = self.values.setdefault(key, kind())
        if not isinstance(value, kind):
            raise UnsupportedWrite(f"{key} holds a {type(value).__name__}, not a {kind.__name__}")
        change(value, arguments)
        if not value:
            del self.values[key]


def _remove(values: Hash | SortedSet, names: list[bytes]) -> None:
    for name in names:
        values.pop(name, None)


def _increase(fields: Hash, arguments: list[bytes]) -> None:
    [(name, by)] = _pairs(arguments)
    total = _integer(fields.get(name, b"0")) + _integer(by)
    if not -_LARGEST <= total < _LARGEST:
        raise UnsupportedWrite(f"HINCRBY {name!r}: overflow")
    fields[name] = str(total).encode()


def _add_scores(ranks: SortedSet, arguments: list[bytes]) -> None:
    ranks.update({member: _number(score) for score, member in _pairs(arguments)})


def _increase_score(ranks: SortedSet, arguments: list[bytes]) -> None:
    [(by, member)] = _pairs(arguments)
    ranks[member] = ranks.get(member, 0.0) + _number(by)


_CHANGES: Mapping[str, tuple[type[Any], Callable[[Any, list[bytes]], None]]] = {
    "HSET": (Hash, lambda fields, arguments: fields.update(_pairs(arguments))),
    "HDEL": (Hash, _remove),
    "HINCRBY": (Hash, _increase),
    "SADD": (RedisSet, RedisSet.update),
    "SREM": (RedisSet, RedisSet.difference_update),
    "ZADD": (SortedSet, _add_scores),
    "ZINCRBY": (SortedSet, _increase_score),
    "ZREM": (SortedSet, _remove),
}


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


def _pairs(arguments: list[bytes]) -> list[tuple[bytes, bytes]]:
    if len(arguments) % 2:
        raise UnsupportedWrite("it takes pairs, and no options")
    return list(zip(arguments[::2], arguments[1::2], strict=True))


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
