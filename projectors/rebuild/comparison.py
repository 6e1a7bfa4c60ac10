"""Does a new generation hold what the live one holds, at the very same offsets?

The live shard is held still; the new one, which nobody else writes, is brought to exactly the same
offsets; both are digested; the live one goes on. A large shard is compared some keys at a time, so
that it is never held for long: each time both sides stand at the same offsets, though not always at
the same as the time before.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic, sleep
from typing import TypeAlias

from events.store import EventStore
from projectors.consumer.catch_up import read_page
from projectors.consumer.follower import Follower
from projectors.storage.read_model import Decrypt, ReadModel
from projectors.storage.shard import Shard
from projectors.verification.digest import bucket_of, digest, unequal
from projectors.verification.fold import Value
from projectors.verification.snapshot import values
from projectors.verification.state import Verdict, differences, shards, state_keys

HOLD_SECONDS = 30
_AT_ONCE = 2000
"""Keys: those of a library's shard at a time, some tens of milliseconds."""
_WALKS = 2
"""What comes during the first is compared in the second; what comes later came to both alike."""
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
    """Compare the state of all shards; ``advance`` is told how many keys were compared.

    Raises CouldNotCompare.
    """
    verdict = Verdict(model=new.name, generation=new.generation)
    follower = Follower(new, store, decrypt)
    pairs = [
        _Pair(shard, live.shard(partitions[0]), partitions, follower)
        for shard, partitions in shards(new, store.partitions).items()
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
    """What the keys of each shard's state are called in every generation."""
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
        self._redis = follower.model.redis
        self._seen: set[str] = set()

    def fresh(self, new: Names, live: Names) -> Iterator[Sequence[str]]:
        """Those keys of either that were not there before, some at a time."""
        there = new.get(self._new.state(""), set()) | live.get(self._live.state(""), set())
        fresh = sorted(there - self._seen)
        self._seen.update(fresh)
        for at in range(0, len(fresh), _AT_ONCE):
            yield fresh[at : at + _AT_ONCE]

    def differences(self, names: Sequence[str]) -> list[str]:
        """How these keys differ, a line each."""
        with self._at_one_point():
            new, live = (digest(self._values(of, names)) for of in (self._new, self._live))
            suspects = unequal(new, live)
            if not suspects:
                return []
            some = [name for name in names if bucket_of(name) in suspects]
            held, said = (dict(self._values(of, some)) for of in (self._live, self._new))
        return list(differences(held, said))

    @contextmanager
    def _at_one_point(self) -> Iterator[None]:
        """Hold the live one, and bring the new one to where it stands."""
        self._wait_until_not_ahead()
        self._live.pause(HOLD_SECONDS)
        try:
            before = self._live.checkpoints()
            self._bring_to(before)
            yield
            if self._live.checkpoints() != before:
                raise CouldNotCompare("The live generation went on though it was held.")
        finally:
            self._live.resume()

    def _wait_until_not_ahead(self) -> None:
        deadline = monotonic() + _PATIENCE_SECONDS
        while True:
            new, live = self._new.checkpoints(), self._live.checkpoints()
            if all(live.get(partition, 0) >= at for partition, at in new.items()):
                return
            if monotonic() > deadline:
                raise CouldNotCompare(
                    "The live generation is behind the new one and does not come on:"
                    " is a projector running?"
                )
            sleep(_POLL_SECONDS)

    def _bring_to(self, offsets: Mapping[int, int]) -> None:
        deadline = monotonic() + HOLD_SECONDS
        targets = {p: offsets.get(p, 0) for p in self._partitions}
        self._follower.read_checkpoints()
        while behind := [p for p, at in targets.items() if self._follower.checkpoints[p] < at]:
            for partition in behind:
                if not self._follower.is_backing_off:
                    read_page(
                        self._follower.store, partition, [self._follower], until=targets[partition]
                    )
            if monotonic() > deadline:
                raise CouldNotCompare("The new generation does not get to where the live one is.")
        if any(self._follower.checkpoints[p] != at for p, at in targets.items()):
            raise CouldNotCompare("Somebody else writes the new generation.")

    def _values(self, shard: Shard, names: Sequence[str]) -> Iterator[tuple[str, Value]]:
        prefix = shard.state("")
        for key, value in values(self._redis, [prefix + name for name in names]):
            yield key.removeprefix(prefix), value
