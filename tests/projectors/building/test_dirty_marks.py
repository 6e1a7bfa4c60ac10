"""Dirty marks: a builder notices when another one was at work or Redis went back."""

import pytest

from projectors.building.dirty_marks import BuilderSuperseded, DirtyMarks
from projectors.storage.shard import Shard

LIST = "{thing.1.all}:derived:list"


@pytest.fixture
def shard(redis):
    return Shard(redis, model="thing", generation=1, name="all")


@pytest.fixture
def marks(redis, shard):
    return DirtyMarks(redis, shard, "movies")


def take(marks):
    marks_taken = marks.take()
    with marks.commit():
        return marks_taken.is_continued


def test_builder_that_committed_continues(marks):
    assert [take(marks), take(marks), take(marks)] == [False, True, True]


def test_builder_that_did_not_commit_reads_everything(marks):
    take(marks)
    marks.take()
    assert not take(marks)


def test_builder_after_another_reads_everything(marks, redis, shard):
    take(marks)
    take(DirtyMarks(redis, shard, "movies"))
    assert [take(marks), take(marks)] == [False, True]


def test_builder_reads_everything_after_redis_was_restored(marks, redis, shard):
    """A kill loses the last second of writes."""
    take(marks)
    key = shard.derived("looker")
    before = redis.get(key)
    take(marks)
    redis.set(key, before)
    assert [take(marks), take(marks)] == [False, True]


def test_superseded_builder_writes_nothing(marks, redis, shard):
    """The first builder read an older document than the second one read and wrote."""
    other = DirtyMarks(redis, shard, "movies")
    marks.take()
    other.take()
    with other.commit() as pipe:
        pipe.set(LIST, "newer")
    with pytest.raises(BuilderSuperseded), marks.commit() as pipe:
        pipe.set(LIST, "older")
    assert redis.get(LIST) == b"newer"
    assert [take(other), take(marks)] == [True, False]


def test_builder_superseded_while_writing_writes_nothing(marks, redis, shard):
    marks.take()
    other = DirtyMarks(redis, shard, "movies")
    with pytest.raises(BuilderSuperseded), marks.commit() as pipe:
        pipe.set(LIST, "older" if not take(other) else "")
    assert redis.get(LIST) is None


def test_builder_writes_nothing_after_redis_was_restored_meanwhile(marks, redis, shard):
    take(marks)
    key = shard.derived("looker")
    before = redis.get(key)
    marks.take()
    redis.set(key, before)
    with pytest.raises(BuilderSuperseded), marks.commit():
        pass
    assert not take(marks)


def test_marks_are_taken_once(marks, redis, shard):
    redis.sadd(shard.derived("dirty", "movies"), 3, 4)
    assert marks.take().touched == [frozenset({3, 4})]
    assert marks.take().touched == [frozenset()]
