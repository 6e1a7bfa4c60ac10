"""What has every read model?"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar

from redis import Redis

from events.recorded import Recorded
from projectors.shard import Shard, Write, read_offsets


class ReadModel(ABC):
    """An answer kept ready, in one generation.

    A model declares its shards: one for each partition when it belongs to users (``by_partition``),
    a single one for the community's. Subclasses add their reads; ``writes`` must be pure.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    """Raised when the shape of its data changes: the model is then built anew."""
    by_partition: ClassVar[bool]

    def __init__(self, redis: "Redis[bytes]", generation: int) -> None:
        self.redis = redis
        self.generation = generation
        self._shards: dict[str, Shard] = {}

    @abstractmethod
    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        """What the events of one partition change in ``shard``, in terms that add up or overwrite."""

    def shard(self, partition: int) -> Shard:
        """The shard that takes in a partition's events."""
        name = str(partition) if self.by_partition else "all"
        if name not in self._shards:
            self._shards[name] = Shard(
                self.redis, model=self.name, generation=self.generation, name=name
            )
        return self._shards[name]

    def apply(self, batch: Sequence[Recorded]) -> None:
        """Take in consecutive events of one partition; raises OutOfStep or Held and then changes nothing."""
        shard = self.shard(batch[0].partition)
        shard.apply(
            batch[0].partition,
            first=batch[0].offset,
            last=batch[-1].offset,
            writes=self.writes(shard, batch),
        )

    def checkpoint(self, partition: int) -> int:
        """The last offset of a partition that it has taken in."""
        return int(self.redis.hget(self.shard(partition).checkpoints_key, str(partition)) or 0)

    def built(self, partition: int) -> int:
        """The last offset of a partition that its derived data has taken in."""
        return int(self.redis.hget(self.shard(partition).built_key, str(partition)) or 0)

    def checkpoints(self, partitions: int) -> list[int]:
        """The last offset taken in of each partition."""
        if not self.by_partition:
            found = self.shard(0).checkpoints()
            return [found.get(partition, 0) for partition in range(partitions)]
        with self.redis.pipeline(transaction=False) as pipe:
            for partition in range(partitions):
                pipe.hgetall(self.shard(partition).checkpoints_key)
            return [
                read_offsets(stored).get(partition, 0)
                for partition, stored in enumerate(pipe.execute())
            ]
