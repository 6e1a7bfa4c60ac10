"""Dirty marks: a builder notices when another one was at work or Redis went back."""

import pytest

from projectors.building.dirty_marks import BuilderSuperseded, DirtyMarks
from projectors.storage.shard import Shard


@pytest.fixture
def shard(redis):
    return Shard(redis, model="thing", generation=1, name="all")


@pytest.fixture
def marks(redis, shard):
    return DirtyMarks(redis, shard, "movies")


def take(marks):
    taken = marks.take()
    with marks.commit():
        return taken.is_continued


def test_one_that_goes_on_is_continued(marks):
    assert [take(marks), take(marks), take(marks)] == [False, True, True]


def test_one_that_was_not_done_reads_everything(marks):
    take(marks)
    marks.take()
    assert not take(marks)


def test_one_that_finds_another_at_work_reads_everything(marks, redis, shard):
    take(marks)
    take(DirtyMarks(redis, shard, "movies"))
    assert [take(marks), take(marks)] == [False, True]


def test_one_whose_redis_is_as_it_was_reads_everything(marks, redis, shard):
    """As after a kill, which loses the last second."""
    take(marks)
    key = shard.derived("looker")
    before = redis.get(key)
    take(marks)
    redis.set(key, before)
    assert [take(marks), take(marks)] == [False, True]


def test_one_that_was_overtaken_writes_nothing(marks, redis, shard):
    """What it read is older than what the other read, and wrote."""
    other = DirtyMarks(redis, shard, "movies")
    marks.take()
    other.take()
    with other.commit() as pipe:
        pipe.set("list", "newer")
    with pytest.raises(BuilderSuperseded), marks.commit() as pipe:
        pipe.set("list", "older")
    assert redis.get("list") == b"newer"
    assert [take(other), take(marks)] == [True, False]


def test_nor_one_that_was_overtaken_while_it_wrote(marks, redis, shard):
    marks.take()
    other = DirtyMarks(redis, shard, "movies")
    with pytest.raises(BuilderSuperseded), marks.commit() as pipe:
        pipe.set("list", "older" if not take(other) else "")
    assert redis.get("list") is None


def test_nor_one_whose_redis_came_back_as_it_was_meanwhile(marks, redis, shard):
    take(marks)
    key = shard.derived("looker")
    before = redis.get(key)
    marks.take()
    redis.set(key, before)
    with pytest.raises(BuilderSuperseded), marks.commit():
        pass
    assert not take(marks)


def test_what_was_marked_is_taken_once(marks, redis, shard):
    redis.sadd(shard.derived("dirty", "movies"), 3, 4)
    assert marks.take().touched == [frozenset({3, 4})]
    assert marks.take().touched == [frozenset()]
