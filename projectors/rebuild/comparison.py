"""Compares a new generation with the live one at the same offsets, without pausing the live one.

Keys are compared some hundreds at a time. The keys of the live shard are read together with its
checkpoints in one Lua call; the new generation, which no other process writes, is filled up to
exactly those offsets; then the same keys of it are read and compared. So each part is compared at
later offsets than the one before.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from time import monotonic, sleep

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


class CouldNotCompare(Exception):
    """The two could not be brought to the same offsets."""


def compare(
    new: ReadModel,
    live: ReadModel,
    store: EventStore,
    *,
    decrypt: Decrypt,
    advance: Callable[[int], None],
) -> Verdict:
    """Compare the state of all shards; ``advance`` gets the number of keys compared.

    Raises CouldNotCompare.
    """
    verdict = Verdict(model=new.name, generation=new.generation)
    follower = Follower(new, store, decrypt)
    shards = partitions_by_shard(new, store.partitions)
    seen: dict[Shard, set[str]] = {shard: set() for shard in shards}
    for _ in range(_WALKS):
        keys = state_keys(new, store.partitions) | state_keys(live, store.partitions)
        for shard, partitions in shards.items():
            both = shard, live.shard(partitions[0])
            names = {name for each in both for name in _names(each, keys)} - seen[shard]
            seen[shard] |= names
            for some in in_parts(sorted(names)):
                verdict.differs(_differences(follower, *both, partitions, some))
                verdict.keys += len(some)
                advance(len(some))
    verdict.shards = len(shards)
    verdict.events = sum(new.checkpoints(store.partitions))
    return verdict


def _names(shard: Shard, keys: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The names of a shard's state keys without the prefix of the generation."""
    prefix = shard.state("")
    return (key.removeprefix(prefix) for key in keys.get(prefix, ()))


def _differences(
    follower: Follower, new: Shard, live: Shard, partitions: Sequence[int], names: Sequence[str]
) -> Iterator[str]:
    """Compare these keys of two shards of the same partitions; one line for each difference."""
    _wait_until_not_ahead(new, live)
    redis = follower.model.redis
    of_live = read(redis, live, map(live.state, names))
    _fill_up_to(follower, {p: of_live.checkpoints.get(p, 0) for p in partitions})
    of_new = read(redis, new, map(new.state, names))
    if of_new.checkpoints != of_live.checkpoints:
        raise CouldNotCompare(
            "Another process writes the new generation: stop it, then run the rebuild again."
        )
    return differences(_by_name(live, of_live), _by_name(new, of_new))


def _wait_until_not_ahead(new: Shard, live: Shard) -> None:
    deadline = monotonic() + _PATIENCE_SECONDS
    while _is_ahead(new, live):
        if monotonic() > deadline:
            raise CouldNotCompare(
                "The live generation is behind the new one and does not catch up:"
                " is a projector running?"
            )
        sleep(_POLL_SECONDS)


def _is_ahead(new: Shard, live: Shard) -> bool:
    there = live.checkpoints()
    return any(there.get(partition, 0) < at for partition, at in new.checkpoints().items())


def _fill_up_to(follower: Follower, offsets: Mapping[int, int]) -> None:
    deadline = monotonic() + _PATIENCE_SECONDS
    follower.read_checkpoints()
    while behind := [p for p, at in offsets.items() if follower.checkpoints[p] < at]:
        for partition in behind:
            if follower.is_backing_off:
                sleep(_POLL_SECONDS)
            else:
                read_page(follower.store, partition, [follower], until=offsets[partition])
        if monotonic() > deadline:
            raise CouldNotCompare(
                "The new generation does not reach the offsets of the live one:"
                " see the warnings in the log."
            )


def _by_name(shard: Shard, snapshot: ShardSnapshot) -> dict[str, Value]:
    """Key name without the generation's prefix -> value."""
    prefix = shard.state("")
    return {key.removeprefix(prefix): value for key, value in snapshot.state.items()}
