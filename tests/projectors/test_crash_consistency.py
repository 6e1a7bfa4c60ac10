"""Crash consistency: a read model is whole, after whichever Redis command its worker died."""

import pytest

from projectors.consumer.follower import Follower
from projectors.read_models.library.read_model import Library
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.trending.read_model import Trending
from projectors.verification.snapshot import read
from tests.fixtures.dying_redis import DyingRedis
from tests.fixtures.memory_store import MemoryStore
from tests.reference.history import PARTITIONS, handle_command, setup_commands


@pytest.fixture
def mortal(redis_url):
    with DyingRedis.from_url(redis_url) as connected:
        yield connected


@pytest.fixture(scope="module")
def log():
    log = MemoryStore(PARTITIONS)
    for command in setup_commands:
        handle_command(command, log)
    return log


def work(model, log):
    """Start a worker that applies a page of each partition; a dead one does nothing."""
    follower = Follower(model, log)
    follower.sync(log.heads())
    for partition in sorted(follower.behind):
        after = follower.checkpoints[partition]
        follower.process(log.page(partition, after=after, limit=4))


def state(model):
    """The state by key name, without the generation."""
    values = {}
    for shard in {model.shard(partition) for partition in range(PARTITIONS)}:
        for key, value in read(model.redis, shard).state.items():
            values[key.partition("}")[2], shard.tag.rpartition(".")[2]] = value
    return values


@pytest.mark.parametrize("kind", [Library, Movies, Trending])
def test_read_model_is_consistent_wherever_its_worker_died(kind, mortal, log):
    expected_model = kind(mortal, 1)
    for _ in range(10):
        work(expected_model, log)
    expected = state(expected_model)
    assert expected
    for commands in range(12):
        model = kind(mortal, 2 + commands)
        mortal.calls_left = commands
        work(model, log)
        mortal.calls_left = None
        for _ in range(10):
            work(model, log)
        assert model.checkpoints(PARTITIONS) == list(log.heads())
        assert state(model) == expected, f"the worker died after {commands} commands"
