"""Shard: a batch is applied only right after the checkpoint."""

import pytest

from projectors.storage.shard import CheckpointMismatch, Shard, Write, pack

PARTITION = 7


@pytest.fixture
def shard(redis):
    shard = Shard(redis, model="sums", generation=1, name="all")
    apply(shard, 1, 3)
    return shard


def apply(shard, first, last):
    writes: list[Write] = [("HINCRBY", shard.state("sum"), "events", last - first + 1)]
    shard.apply(PARTITION, first=first, last=last, packed=[pack(writes)])


def applied(shard, redis):
    return int(redis.hget(shard.state("sum"), "events")), shard.checkpoints()


@pytest.mark.parametrize(("first", "last"), [(1, 2), (2, 5), (1, 9), (5, 5), (5, 9)])
def test_shard_refuses_batch_not_right_after_checkpoint(shard, redis, first, last):
    with pytest.raises(CheckpointMismatch) as refused:
        apply(shard, first, last)
    assert refused.value.at == 3
    assert applied(shard, redis) == (3, {PARTITION: 3})


@pytest.mark.parametrize("first", [1, 2, 3])
def test_shard_ignores_batch_ending_at_checkpoint(shard, redis, first):
    apply(shard, first, 3)
    assert applied(shard, redis) == (3, {PARTITION: 3})


def test_shard_applies_batch_right_after_checkpoint(shard, redis):
    apply(shard, 4, 4)
    apply(shard, 5, 9)
    assert applied(shard, redis) == (9, {PARTITION: 9})
