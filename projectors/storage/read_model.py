"""Base class of read models: shards, checkpoints, and how events become writes."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import ClassVar, Literal, TypeAlias

from redis import Redis

from events.recorded import Recorded
from projectors.storage import replies
from projectors.storage.shard import Shard, Write, pack

Decrypt: TypeAlias = Callable[[Sequence[Recorded]], Sequence[Recorded]]
"""Returns events with their personal fields in clear."""

Weight: TypeAlias = Literal["light", "heavy", "heaviest"]
"""How much work a builder has. The heavy ones may get a projector process of their own; in a
rebuild the heaviest ones are built side by side with all others."""

_DROPPED_AT_ONCE = 500
_CHECKPOINTS = b":checkpoints"


def leave_encrypted(batch: Sequence[Recorded]) -> Sequence[Recorded]:
    """Return the events as they are in the log."""
    return batch


class ReadModel(ABC):
    """One generation of a read model.

    A model of users' own data has a shard for each partition (``by_partition``), a model of the
    whole community a single one. Subclasses add their reads; ``writes`` must be pure.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    """Increased when the shape of its data changes: the model is then rebuilt."""
    by_partition: ClassVar[bool]
    """Whether each partition has a shard. A user's is ``partition_of(str(user), partitions)``."""
    decrypts: ClassVar[bool] = False
    """Whether ``writes`` gets personal fields in clear (``projectors.consumer.decryption``)."""

    purges_erased_users: ClassVar[bool] = False
    """Whether ``writes`` deletes a user's data at ``UserErased``. Then their parked events write
    nothing when they are retried later."""
    kept_after_erasure: ClassVar[str] = ""
    """What stays of an erased user, in words; see docs/adr/0014."""

    builder_path: ClassVar[str] = ""
    """Dotted path of the class that builds its derived data, called with the model and its sources.
    Imported when it is needed, because the query API imports read models, too."""
    sources: ClassVar[tuple[str, ...]] = ()
    """Names of the other models that the builder reads."""
    weight: ClassVar[Weight] = "light"
    builds_by_partition: ClassVar[bool] = False
    """Whether a rebuild shares its derived data out by partition (``PartitionedBuilder``), once
    all other models are built."""

    def __init__(self, redis: Redis, generation: int) -> None:
        self.redis = redis
        self.generation = generation
        self._shards: dict[str, Shard] = {}

    @abstractmethod
    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        """The commands by which events of one partition change ``shard``."""

    def unmark_writes(self, shard: Shard, user: str) -> Iterable[Write]:
        """The commands that remove a user's dirty marks where no builder runs any more."""
        return ()

    def decrypted(self, batch: Sequence[Recorded], decrypt: Decrypt) -> Sequence[Recorded]:
        """The events as ``writes`` expects them."""
        return decrypt(batch) if self.decrypts else batch

    def shard(self, partition: int) -> Shard:
        """The shard of a partition's events."""
        name = str(partition) if self.by_partition else "all"
        if name not in self._shards:
            self._shards[name] = Shard(
                self.redis, model=self.name, generation=self.generation, name=name
            )
        return self._shards[name]

    @cached_property
    def all(self) -> Shard:
        """The only shard of a model of the whole community."""
        return self.shard(0)

    def shards(self, partitions: int) -> list[Shard]:
        return list(dict.fromkeys(self.shard(partition) for partition in range(partitions)))

    def pack(self, batch: Sequence[Recorded], decrypt: Decrypt) -> bytes:
        """Encode the writes of a batch for its shard; fails for the same events each time."""
        shard = self.shard(batch[0].partition)
        return pack(self.writes(shard, self.decrypted(batch, decrypt)))

    def drop(self) -> int:
        """Delete all keys of this generation; returns how many there were. Raises RetryLater."""
        removed = 0
        while gone := self._unlink_some():
            removed += gone
        return removed

    def _unlink_some(self) -> int:
        """Scan Redis once and delete what is found; keys written meanwhile need another scan.

        Checkpoints go last, because their presence tells that the generation exists.
        """
        removed = 0
        keys: list[bytes] = []
        checkpoints: list[bytes] = []
        for key in self.redis.scan_iter(match=f"{{{self.name}.{self.generation}.*", count=1000):
            (checkpoints if key.endswith(_CHECKPOINTS) else keys).append(key)
            if len(keys) == _DROPPED_AT_ONCE:
                removed += self._unlink(keys)
                keys.clear()
        return removed + self._unlink(keys) + self._unlink(checkpoints)

    def _unlink(self, keys: Sequence[bytes]) -> int:
        # One command for each key: the shards have different hash tags.
        with self.redis.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.unlink(key)
            return sum(map(int, pipe.execute()))

    def checkpoint(self, partition: int) -> int:
        """The last offset applied of a partition."""
        return int(self.redis.hget(self.shard(partition).checkpoints_key, str(partition)) or 0)

    def built(self, partition: int) -> int:
        """The last offset of a partition that its derived data is built up to."""
        return int(self.redis.hget(self.shard(partition).built_key, str(partition)) or 0)

    def checkpoints(self, partitions: int) -> list[int]:
        """The last offset applied of each partition."""
        return self._offsets([self.shard(p).checkpoints_key for p in range(partitions)])

    def built_offsets(self, partitions: int) -> list[int]:
        """The last offset of each partition that its derived data is built up to."""
        return self._offsets([self.shard(p).built_key for p in range(partitions)])

    def _offsets(self, keys: Sequence[str]) -> list[int]:
        if not self.by_partition:  # one hash holds all partitions
            offsets = replies.hmget(self.redis, keys[0], [str(p) for p in range(len(keys))])
            return [int(offset or 0) for offset in offsets]
        with self.redis.pipeline(transaction=False) as pipe:
            for partition, key in enumerate(keys):
                pipe.hget(key, str(partition))
            return [int(offset or 0) for offset in pipe.execute()]
