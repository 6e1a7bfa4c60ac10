"""Single-flight lock: one request loads a missing cache entry, the others wait for it.

The first to set the lock's key loads. The key expires, since its owner may die, and holds a token,
so that only its owner deletes it. The others poll: when the entry is there they return it; when the
lock is free without an entry the next one loads. A request that has waited too long loads anyway.
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
"""Expiry of a lock; an entry that takes longer to load may be loaded twice."""
PATIENCE_SECONDS = 3.0
"""How long the others wait: longer than a lease, or all would load when its owner dies."""
_FIRST_SLEEP, _LONGEST_SLEEP = 0.001, 0.02

_RELEASE = """
if ARGV[2] ~= '' then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1
"""

Value = TypeVar("Value")
_log = structlog.get_logger(__name__)


class SingleFlightLock:
    """One request's lock on the entry of a key."""

    def __init__(self, key: str) -> None:
        self._redis = clients.cache_redis()
        self._key = key
        self._lock_key = f"{key}:turn"
        self._token = token_hex(8)
        self.is_leader = False

    def wait(self, read: Callable[[bytes | None], Value | None]) -> Value | None:
        """Wait for the entry that another request loads; None if this request must load it.

        It must if it ``is_leader`` or has waited too long. Raises RedisError.
        """
        until = monotonic() + PATIENCE_SECONDS
        backoff = Backoff(_FIRST_SLEEP, _LONGEST_SLEEP)
        while True:
            self.is_leader, entry = self._acquire()
            if (value := read(entry)) is not None:
                self.release()
                return value
            if self.is_leader or monotonic() >= until:
                return None
            sleep(backoff.next_seconds())

    def publish(self, entry: bytes, milliseconds: int) -> bool:
        """Store an entry with its expiry and release the lock; False if Redis can't."""
        return self._release(entry, milliseconds)

    def release(self) -> None:
        """Release the lock, if this request has it."""
        if self.is_leader:
            self._release(b"", 0)

    def _acquire(self) -> tuple[bool, bytes | None]:
        lease = int(1000 * LEASE_SECONDS)
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.set(self._lock_key, self._token, nx=True, px=lease)
            pipe.get(self._key)
            acquired, entry = pipe.execute()
        return bool(acquired), entry

    def _release(self, entry: bytes, milliseconds: int) -> bool:
        # EVAL, not EVALSHA: Redis may forget a script, and that would cost a second round trip.
        arguments = (self._token, entry, milliseconds)
        try:
            self._redis.eval(_RELEASE, 2, self._key, self._lock_key, *arguments)
        except RedisError as fault:
            _log.warning(
                "Redis can't store the cache entry; the next request loads it again",
                fault=repr(fault),
            )
            return False
        return True
