"""Compares a new generation with the live one at the same offsets, without pausing the live one.

Keys are compared some hundreds at a time. The keys of the live shard are read together with its
checkpoints in one Lua call; the new generation, which no other process writes, is filled up to
exactly those offsets; then the same keys of it are read and compared. So each part is compared at
later offsets than the one before.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from time import monotonic, sleep
from typing import TypeAlias

from events.store import EventStore
from projectors.consumer.follower import Follower, read_page
from projectors.storage.read_model import Decrypt, ReadModel
from projectors.storage.shard import Shard
from projectors.verification.fold import Value
from projectors.verification.snapshot import ShardSnapshot, in_parts, read
from projectors.verification.state import Verdict, differences, partitions_by_shard, state_keys

_WALKS = 2
"""Keys added during the first walk are compared in the second."""
_PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.02

Advance = Callable[[int], None]
Names: TypeAlias = Mapping[str, set[str]]
"""By the prefix of a shard's state."""


class CouldNotCompare(Exception):
    """The two could not be brought to the same offsets."""


def compare(
    new: ReadModel, live: ReadModel, store: EventStore, *, decrypt: Decrypt, advance: Advance
) -> Verdict:
    """Compare the state of all shards; ``advance`` gets the number of keys compared.

    Raises CouldNotCompare.
    """
    verdict = Verdict(model=new.name, generation=new.generation)
    follower = Follower(new, store, decrypt)
    pairs = [
        _Pair(shard, live.shard(partitions[0]), partitions, follower)
        for shard, partitions in partitions_by_shard(new, store.partitions).items()
    ]
    for _ in range(_WALKS):
        names = _names(new, store.partitions), _names(live, store.partitions)
        for pair in pairs:
            for some in pair.fresh(*names):
                verdict.differs(pair.differences(some))
                verdict.keys += len(some)
                advance(len(some))
    verdict.shards = len(pairs)
    verdict.events = sum(new.checkpoints(store.partitions))
    return verdict


def _names(model: ReadModel, partitions: int) -> Names:
    """The names of each shard's state keys without the prefix of the generation."""
    return {
        prefix: {key.removeprefix(prefix) for key in keys}
        for prefix, keys in state_keys(model, partitions).items()
    }


class _Pair:
    """A new shard and the live one of the same partitions."""

    def __init__(
        self, new: Shard, live: Shard, partitions: Sequence[int], follower: Follower
    ) -> None:
        self._new = new
        self._live = live
        self._partitions = partitions
        self._follower = follower
        self._seen: set[str] = set()

    def fresh(self, new: Names, live: Names) -> Iterator[Sequence[str]]:
        """Keys of either shard that were not compared before, some at a time."""
        there = new.get(self._new.state(""), set()) | live.get(self._live.state(""), set())
        fresh = sorted(there - self._seen)
        self._seen.update(fresh)
        yield from in_parts(fresh)

    def differences(self, names: Sequence[str]) -> Iterator[str]:
        """Compare these keys; one line for each difference."""
        self._wait_until_not_ahead()
        live = self._read(self._live, names)
        self._fill_up_to(live.checkpoints)
        new = self._read(self._new, names)
        if any(new.checkpoints.get(p, 0) != live.checkpoints.get(p, 0) for p in self._partitions):
            raise CouldNotCompare(
                "Another process writes the new generation: stop it, then run the rebuild again."
            )
        return differences(_by_name(self._live, live), _by_name(self._new, new))

    def _read(self, shard: Shard, names: Sequence[str]) -> ShardSnapshot:
        prefix = shard.state("")
        return read(self._follower.model.redis, shard, [prefix + name for name in names])

    def _wait_until_not_ahead(self) -> None:
        deadline = monotonic() + _PATIENCE_SECONDS
        while True:
            new, live = self._new.checkpoints(), self._live.checkpoints()
            if all(live.get(partition, 0) >= at for partition, at in new.items()):
                return
            if monotonic() > deadline:
                raise CouldNotCompare(
                    "The live generation is behind the new one and does not catch up:"
                    " is a projector running?"
                )
            sleep(_POLL_SECONDS)

    def _fill_up_to(self, offsets: Mapping[int, int]) -> None:
        deadline = monotonic() + _PATIENCE_SECONDS
        targets = {p: offsets.get(p, 0) for p in self._partitions}
        self._follower.read_checkpoints()
        while behind := [p for p, at in targets.items() if self._follower.checkpoints[p] < at]:
            for partition in behind:
                if self._follower.is_backing_off:
                    sleep(_POLL_SECONDS)
                else:
                    read_page(
                        self._follower.store, partition, [self._follower], until=targets[partition]
                    )
            if monotonic() > deadline:
                raise CouldNotCompare(
                    "The new generation does not reach the offsets of the live one:"
                    " see the warnings in the log."
                )


def _by_name(shard: Shard, snapshot: ShardSnapshot) -> dict[str, Value]:
    """Key name without the generation's prefix -> value."""
    prefix = shard.state("")
    return {key.removeprefix(prefix): value for key, value in snapshot.state.items()}
