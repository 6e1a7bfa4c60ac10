"""Dirty marks: what changed since a builder last read them, and the checkpoints of that moment.

Marks and checkpoints are read in one step, before the state, so what is built from the state
includes at least these events. Taking removes the marks. So a builder must read everything
(``is_continued`` is False) if its last build failed, if it has just started, if another builder was
at work, or if its marks were lost.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from secrets import token_hex
from typing import NamedTuple

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import WatchError

from projectors.errors import RetryLater
from projectors.storage import replies
from projectors.storage.shard import Shard, read_offsets, script

_TAKE = """
local is_continued = redis.call('GET', KEYS[1]) == ARGV[1]
redis.call('SET', KEYS[1], ARGV[2])
local touched = {}
for nth = 4, #KEYS do
  touched[nth - 3] = redis.call('SMEMBERS', KEYS[nth])
  redis.call('DEL', KEYS[nth])
end
local late = redis.call('HGET', KEYS[3], 'late') or ''
return {is_continued and 1 or 0, redis.call('HGETALL', KEYS[2]), late, touched}
"""
_NOTE = """
if (redis.call('HGET', KEYS[2], 'late') or '') ~= ARGV[1] then return 0 end
for nth = 2, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[nth], ARGV[nth + 1]) end
return 1
"""


def note_built(pipe: Redis, shard: Shard, offsets: Mapping[int, int], *, late: str) -> None:
    """Note up to which offsets a shard's derived data is built.

    ``late``: the count of parked events applied later, as read with the state. If it has changed,
    so has the state before these offsets, and nothing is noted: those events left marks, and the
    next build includes them.
    """
    if offsets:
        numbers = [number for pair in offsets.items() for number in pair]
        pipe.eval(_NOTE, 2, shard.built_key, shard.changes_key, late, *numbers)


class BuilderSuperseded(RetryLater):
    """Another builder took the marks meanwhile, or Redis lost the token: nothing was written."""


class DirtyBatch(NamedTuple):
    """The marks that a builder took, with the checkpoints of that moment."""

    is_continued: bool
    checkpoints: dict[int, int]
    late: str
    """Count of parked events applied later: passed on to ``note_built``."""
    touched: list[frozenset[int]]
    """A set of numbers for each name, in order."""


class DirtyMarks:
    """The marks of one shard, as one builder uses them.

    Fencing: ``take`` stores a token of this builder; ``commit`` replaces it in one transaction with
    the data, and only if it is still the same. So when two builders overlap during a cut-over, the
    one that took the marks first writes nothing: what it read is old. And when Redis was killed and
    restarted with older data, it holds an older token: then the builder's memory is ahead of what
    is stored, and it must read everything.
    """

    def __init__(self, redis: Redis, shard: Shard, *names: str) -> None:
        self._redis = redis
        self._token_key = shard.derived("looker")
        self._keys = [
            self._token_key,
            shard.checkpoints_key,
            shard.changes_key,
            *(shard.derived("dirty", name) for name in names),
        ]
        self._committed = ""
        self._token = ""

    def take(self) -> DirtyBatch:
        """Take all marks. Unless ``commit`` succeeds, the next batch is not continued."""
        before, self._committed, self._token = self._committed, "", token_hex(8)
        is_continued, checkpoints, late, touched = script(self._redis, _TAKE)(
            keys=self._keys, args=[before, self._at_work]
        )
        return DirtyBatch(
            is_continued=bool(is_continued),
            checkpoints=read_offsets(replies.pairs(checkpoints)),
            late=late.decode(),
            touched=[frozenset(map(int, members)) for members in touched],
        )

    @contextmanager
    def commit(self) -> Iterator[Pipeline]:
        """Write in one step with the token, so that the next ``take`` continues.

        Raises BuilderSuperseded.
        """
        with self._redis.pipeline(transaction=True) as pipe:
            try:
                pipe.watch(self._token_key)  # type: ignore[no-untyped-call]  # of redis-py
                if pipe.get(self._token_key) != self._at_work.encode():
                    raise BuilderSuperseded("another builder took the marks")
                pipe.multi()
                yield pipe
                pipe.set(self._token_key, self._token)
                pipe.execute()
            except WatchError as error:
                raise BuilderSuperseded("another builder took the marks") from error
        # Not reached if the reply was lost: then it is unknown what was written.
        self._committed = self._token

    @property
    def _at_work(self) -> str:
        return f"{self._token}:at work"
