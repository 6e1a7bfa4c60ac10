"""Who loads, when many want the same at once?

Whoever sets the key of the turn first. It expires, for who has it may die; it holds a token, so
that nobody gives up the turn of another. The others look every few milliseconds whether the answer
is there, or the turn is free because there will be none: then the next one loads. Who has waited
long enough loads, whoever else does.
"""

from collections.abc import Callable
from secrets import token_hex
from time import monotonic, sleep
from typing import TypeVar

import structlog
from redis.exceptions import RedisError

from infra import clients
from infra.backoff import Backoff

LEASE_SECONDS = 2.0
"""How long a turn lasts at most; what takes longer may be loaded by a second one, too."""
PATIENCE_SECONDS = 3.0
"""How long the others wait: longer than a lease, or all of them would load when its owner dies."""
_FIRST_SLEEP, _LONGEST_SLEEP = 0.001, 0.02

_END = """
if ARGV[2] ~= '' then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1
"""

Kept = TypeVar("Kept")
_log = structlog.get_logger(__name__)


class SingleFlightLock:
    """One asker's way to what is kept under a key."""

    def __init__(self, key: str) -> None:
        self._redis = clients.cache_redis()
        self._key = key
        self._turn_key = f"{key}:turn"
        self._token = token_hex(8)
        self.is_leader = False

    def wait(self, read: Callable[[bytes | None], Kept | None]) -> Kept | None:
        """What another one has loaded; None when it is for us to load. Raises RedisError.

        It is so when ``is_leader``, and when we have waited in vain.
        """
        until = monotonic() + PATIENCE_SECONDS
        backoff = Backoff(_FIRST_SLEEP, _LONGEST_SLEEP)
        while True:
            self.is_leader, found = self._look()
            if (kept := read(found)) is not None:
                self.release()
                return kept
            if self.is_leader or monotonic() >= until:
                return None
            sleep(backoff.next_seconds())

    def keep(self, answer: bytes, milliseconds: int) -> bool:
        """Keep what was loaded, for the others, and end the turn; False if Redis can't."""
        return self._end(answer, milliseconds)

    def release(self) -> None:
        """Release the lock, if it is ours, so that the next one need not wait until it expires."""
        if self.is_leader:
            self._end(b"", 0)

    def _look(self) -> tuple[bool, bytes | None]:
        lease = int(1000 * LEASE_SECONDS)
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.set(self._turn_key, self._token, nx=True, px=lease)
            pipe.get(self._key)
            taken, found = pipe.execute()
        return bool(taken), found

    def _end(self, answer: bytes, milliseconds: int) -> bool:
        # With its text: a script's digest may be forgotten, and would need a second trip then.
        words = (self._token, answer, milliseconds)
        try:
            self._redis.eval(_END, 2, self._key, self._turn_key, *words)
        except RedisError as fault:
            _log.warning("cache away", fault=repr(fault))
            return False
        return True
