"""Does a shard take in only what comes next?"""

import pytest

from projectors.storage.shard import CheckpointMismatch, Shard, Write, pack

PARTITION = 7


@pytest.fixture
def shard(redis):
    made = Shard(redis, model="sums", generation=1, name="all")
    take(made, 1, 3)
    return made


def take(shard, first, last):
    writes: list[Write] = [("HINCRBY", shard.state("sum"), "events", last - first + 1)]
    shard.apply(PARTITION, first=first, last=last, packed=[pack(writes)])


def taken(shard, redis):
    return int(redis.hget(shard.state("sum"), "events")), shard.checkpoints()


@pytest.mark.parametrize(("first", "last"), [(1, 2), (2, 5), (1, 9), (5, 5), (5, 9)])
def test_nothing_of_what_does_not_come_next(shard, redis, first, last):
    with pytest.raises(CheckpointMismatch) as refused:
        take(shard, first, last)
    assert refused.value.at == 3
    assert taken(shard, redis) == (3, {PARTITION: 3})


@pytest.mark.parametrize("first", [1, 2, 3])
def test_nothing_of_what_it_has_to_the_last(shard, redis, first):
    take(shard, first, 3)
    assert taken(shard, redis) == (3, {PARTITION: 3})


def test_all_of_what_does(shard, redis):
    take(shard, 4, 4)
    take(shard, 5, 9)
    assert taken(shard, redis) == (9, {PARTITION: 9})
