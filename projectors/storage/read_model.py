"""What has every read model?"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, TypeAlias

from redis import Redis

from events.recorded import Recorded
from projectors.storage import replies
from projectors.storage.shard import Shard, Write, pack

Decrypt: TypeAlias = Callable[[Sequence[Recorded]], Sequence[Recorded]]
"""Gives events with their sealed fields in clear."""

_DROPPED_AT_ONCE = 500
_CHECKPOINTS = b":checkpoints"


def leave_encrypted(batch: Sequence[Recorded]) -> Sequence[Recorded]:
    """The events as the log has them."""
    return batch


class ReadModel(ABC):
    """An answer kept ready, in one generation.

    A model declares its shards: one for each partition when it belongs to users (``by_partition``),
    a single one for the community's. Subclasses add their reads; ``writes`` must be pure.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    """Raised when the shape of its data changes: the model is then built anew."""
    by_partition: ClassVar[bool]
    decrypts: ClassVar[bool] = False
    """Whether ``writes`` is given sealed fields in clear (``projectors.consumer.decryption``)."""

    purges_erased_users: ClassVar[bool] = False
    """Whether all that somebody said leads to nothing once they are erased."""
    kept_after_erasure: ClassVar[str] = ""
    """What stays of who was erased, in words; see docs/adr/0014."""

    def __init__(self, redis: Redis, generation: int) -> None:
        self.redis = redis
        self.generation = generation
        self._shards: dict[str, Shard] = {}

    @abstractmethod
    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        """What the events of one partition change in ``shard``; adds up or overwrites."""

    def unmark_writes(self, shard: Shard, user: str) -> Iterable[Write]:
        """What takes back the marks of a user, where nobody builds any more."""
        return ()

    def read(self, batch: Sequence[Recorded], decrypt: Decrypt) -> Sequence[Recorded]:
        """The events as this model takes them in."""
        return decrypt(batch) if self.decrypts else batch

    def shard(self, partition: int) -> Shard:
        """The shard that takes in a partition's events."""
        name = str(partition) if self.by_partition else "all"
        if name not in self._shards:
            self._shards[name] = Shard(
                self.redis, model=self.name, generation=self.generation, name=name
            )
        return self._shards[name]

    def pack(self, batch: Sequence[Recorded], decrypt: Decrypt) -> bytes:
        """What events change, as their shard takes it. Fails for the same events each time."""
        return pack(self.writes(self.shard(batch[0].partition), self.read(batch, decrypt)))

    def apply(self, batch: Sequence[Recorded]) -> None:
        """Take in consecutive events of one partition, or nothing.

        Only for a shard with nothing parked. Raises CheckpointMismatch, ShardPaused or
        ParkedStreamsChanged.
        """
        self.shard(batch[0].partition).apply(
            batch[0].partition,
            first=batch[0].offset,
            last=batch[-1].offset,
            packed=[self.pack(batch, leave_encrypted)],
        )

    def drop(self) -> int:
        """Remove all that this generation keeps; how many keys it had. Raises RetryLater."""
        removed = 0
        while gone := self._unlink_some():
            removed += gone
        return removed

    def _unlink_some(self) -> int:
        """One walk through Redis: what is written meanwhile is found by the next.

        Checkpoints go last: whoever looks whether anything is there asks for those.
        """
        removed = 0
        keys: list[bytes] = []
        checkpoints: list[bytes] = []
        for key in self.redis.scan_iter(match=f"{{{self.name}.{self.generation}.*", count=1000):
            (checkpoints if key.endswith(_CHECKPOINTS) else keys).append(key)
            if len(keys) == _DROPPED_AT_ONCE:
                removed += int(self.redis.unlink(*keys))
                keys.clear()
        return removed + sum(int(self.redis.unlink(*some)) for some in (keys, checkpoints) if some)

    def checkpoint(self, partition: int) -> int:
        """The last offset of a partition that it has taken in."""
        return int(self.redis.hget(self.shard(partition).checkpoints_key, str(partition)) or 0)

    def built(self, partition: int) -> int:
        """The last offset of a partition that its derived data has taken in."""
        return int(self.redis.hget(self.shard(partition).built_key, str(partition)) or 0)

    def checkpoints(self, partitions: int) -> list[int]:
        """The last offset taken in of each partition."""
        return self._offsets([self.shard(p).checkpoints_key for p in range(partitions)])

    def built_offsets(self, partitions: int) -> list[int]:
        """The last offset of each partition that its derived data has taken in."""
        return self._offsets([self.shard(p).built_key for p in range(partitions)])

    def _offsets(self, keys: Sequence[str]) -> list[int]:
        if not self.by_partition:  # one hash has them all
            found = replies.hmget(self.redis, keys[0], [str(p) for p in range(len(keys))])
            return [int(offset or 0) for offset in found]
        with self.redis.pipeline(transaction=False) as pipe:
            for partition, key in enumerate(keys):
                pipe.hget(key, str(partition))
            return [int(offset or 0) for offset in pipe.execute()]
