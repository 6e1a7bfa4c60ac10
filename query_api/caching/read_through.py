"""Read-through cache in Redis for answers of the search index: pages, and details of a movie.

An entry carries the version of the data it was made from. A request reads the current version in
the same round trip as the entry, so an entry of another version is a miss (docs/adr/0016). Of
concurrent requests one loads, and the others wait (``single_flight``). When Redis can't store an
entry, every request loads.
"""

from collections.abc import Callable
from hashlib import sha256
from random import random
from time import perf_counter
from typing import Any, Generic, Literal, NamedTuple, TypeAlias, TypeVar

import msgspec
import structlog
from redis.exceptions import RedisError

from infra.observability import count, observe_seconds
from query_api.caching.single_flight import SingleFlightLock

Cache: TypeAlias = Literal["pages", "details"]
Outcome: TypeAlias = Literal["hit", "waited", "loaded", "late", "unkept", "failed"]
Value = TypeVar("Value")

EMPTY_SECONDS = 2.0
"""Expiry of an empty answer: there are many, and they are rarely requested again."""
MAX_ENTRY_BYTES = 65_536
"""Larger entries are not stored; a page of a hundred has about ten thousand bytes."""
_SHORTEST_SHARE = 0.8

_encode = msgspec.msgpack.Encoder().encode
_log = structlog.get_logger(__name__)


class CacheLookup(NamedTuple):
    """A key, the current version of its data, and the entry that Redis has."""

    key: str
    version: bytes | None
    """Changes with the data; None if it is unknown, so nothing is stored."""
    entry: bytes | None


class ReadThrough(Generic[Value]):
    """A cache of one type of value; safe to share between threads and processes."""

    def __init__(
        self,
        name: Cache,
        kind: type[Value],
        *,
        seconds: float,
        is_empty: Callable[[Value], bool],
    ) -> None:
        self._name = name
        self._seconds = seconds
        self._is_empty = is_empty
        self._decoder: msgspec.msgpack.Decoder[tuple[bytes, Value]] = msgspec.msgpack.Decoder(
            tuple[bytes, kind]  # type: ignore[valid-type]  # known at run time
        )

    def key(self, generation: int, query: Any) -> str:
        """The key of a query's entry in a generation of the read model."""
        digest = sha256(_encode(query)).hexdigest()[:32]
        return f"cache:{{{self._name}.{generation}.{digest}}}"

    def get(self, lookup: CacheLookup, load: Callable[[], Value]) -> Value:
        """Return the value, cached or loaded; exceptions of ``load`` are raised and not cached."""
        began = perf_counter()
        outcome: Outcome = "failed"
        try:
            outcome, answer = self._get(lookup, load)
            return answer
        finally:
            count("marquee_cache_total", cache=self._name, outcome=outcome)
            if outcome != "hit":
                seconds = perf_counter() - began
                observe_seconds("marquee_cache_seconds", seconds, cache=self._name, outcome=outcome)

    def _get(self, lookup: CacheLookup, load: Callable[[], Value]) -> tuple[Outcome, Value]:
        version = lookup.version
        if version is None:
            return "unkept", load()
        if (cached := self._read(lookup.entry, version)) is not None:
            return "hit", cached
        lock = SingleFlightLock(lookup.key)
        try:
            cached = lock.wait(lambda entry: self._read(entry, version))
        except RedisError as fault:
            _log.warning(
                "Redis can't lock the cache entry; loading without the cache", fault=repr(fault)
            )
            return "unkept", load()
        if cached is not None:
            return "waited", cached
        return self._load(lock, version, load)

    def _load(
        self, lock: SingleFlightLock, version: bytes, load: Callable[[], Value]
    ) -> tuple[Outcome, Value]:
        try:
            answer = load()
        except BaseException:
            lock.release()
            raise
        entry = _encode((version, answer))
        if len(entry) > MAX_ENTRY_BYTES:
            lock.release()
            return "unkept", answer
        seconds = EMPTY_SECONDS if self._is_empty(answer) else self._seconds
        if not lock.publish(entry, lifetime_ms(seconds, random())):  # noqa: S311 - no secret
            return "unkept", answer
        return "loaded" if lock.is_leader else "late", answer

    def _read(self, entry: bytes | None, version: bytes) -> Value | None:
        """Decode an entry; None if it is of another version or can't be decoded."""
        if entry is None:
            return None
        try:
            entry_version, value = self._decoder.decode(entry)
        except msgspec.DecodeError:
            return None
        return value if entry_version == version else None


def lifetime_ms(seconds: float, jitter: float) -> int:
    """Lifetime of an entry; ``jitter`` (0 to 1) spreads the expiry of entries loaded together."""
    return int(1000 * seconds * (_SHORTEST_SHARE + (1 - _SHORTEST_SHARE) * jitter))
