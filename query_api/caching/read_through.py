"""How is what was loaded for one reader given to the others, for as long as it is true?

What is no read model, a page of the index or what its documents keep, is loaded at the first ask
and kept in Redis, with the stamp of what it was made of. Who asks reads the stamp of now in the
same trip: what was kept under another one is over. So it need not be dropped by anybody, and an
answer that was kept is never older than one that is loaded (docs/adr/0016). Of many who ask at once
one loads, and the others wait for it (``turn``). Redis that can't keep anything is no fault: then
everyone loads.
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
Kept = TypeVar("Kept")

NOTHING_SECONDS = 2.0
"""How long it is kept that there is nothing: guesses are many, and nobody comes back for them."""
MOST_BYTES = 65_536
"""Of one answer; a page of a hundred has about ten thousand."""
_SHORTEST = 0.8

_encode = msgspec.msgpack.Encoder().encode
_log = structlog.get_logger(__name__)


class CacheLookup(NamedTuple):
    """What somebody wants to know, and what Redis said of it."""

    key: str
    stamp: bytes | None
    """Another one when the answer is; None: nothing would tell, so it is not kept."""
    found: bytes | None
    """What is kept under the key."""


class ReadThrough(Generic[Kept]):
    """Answers of one kind; safe to share between threads and processes."""

    def __init__(
        self,
        name: Cache,
        kind: type[Kept],
        *,
        seconds: float,
        is_nothing: Callable[[Kept], bool],
    ) -> None:
        self._name = name
        self._seconds = seconds
        self._is_nothing = is_nothing
        self._decoder: msgspec.msgpack.Decoder[tuple[bytes, Kept]] = msgspec.msgpack.Decoder(
            tuple[bytes, kind]  # type: ignore[valid-type]  # known when it runs
        )

    def key(self, generation: int, question: Any) -> str:
        """Where the answer of a generation is kept, however long the question."""
        digest = sha256(_encode(question)).hexdigest()[:32]
        return f"cache:{{{self._name}.{generation}.{digest}}}"

    def get(self, asked: CacheLookup, load: Callable[[], Kept]) -> Kept:
        """The answer; raises what ``load`` raises, and that is not kept."""
        began = perf_counter()
        outcome: Outcome = "failed"
        try:
            outcome, answer = self._get(asked, load)
            return answer
        finally:
            count("marquee_cache_total", cache=self._name, outcome=outcome)
            if outcome != "hit":
                seconds = perf_counter() - began
                observe_seconds("marquee_cache_seconds", seconds, cache=self._name, outcome=outcome)

    def _get(self, asked: CacheLookup, load: Callable[[], Kept]) -> tuple[Outcome, Kept]:
        stamp = asked.stamp
        if stamp is None:
            return "unkept", load()
        if (kept := self._read(asked.found, stamp)) is not None:
            return "hit", kept
        lock = SingleFlightLock(asked.key)
        try:
            kept = lock.wait(lambda found: self._read(found, stamp))
        except RedisError as fault:
            _log.warning("cache away", fault=repr(fault))
            return "unkept", load()
        if kept is not None:
            return "waited", kept
        return self._load(lock, stamp, load)

    def _load(
        self, lock: SingleFlightLock, stamp: bytes, load: Callable[[], Kept]
    ) -> tuple[Outcome, Kept]:
        try:
            answer = load()
        except BaseException:
            lock.release()
            raise
        written = _encode((stamp, answer))
        if len(written) > MOST_BYTES:
            lock.release()
            return "unkept", answer
        seconds = NOTHING_SECONDS if self._is_nothing(answer) else self._seconds
        if not lock.keep(written, lifetime_ms(seconds, random())):  # noqa: S311 - no secret
            return "unkept", answer
        return "loaded" if lock.is_leader else "late", answer

    def _read(self, found: bytes | None, stamp: bytes) -> Kept | None:
        """What is kept, if it is of now and of this version of the code."""
        if found is None:
            return None
        try:
            made_of, answer = self._decoder.decode(found)
        except msgspec.DecodeError:
            return None
        return answer if made_of == stamp else None


def lifetime_ms(seconds: float, luck: float) -> int:
    """How long to keep it, by a number from 0 to 1: so what was loaded together is not over so."""
    return int(1000 * seconds * (_SHORTEST + (1 - _SHORTEST) * luck))
