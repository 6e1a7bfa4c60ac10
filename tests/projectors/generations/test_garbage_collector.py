"""Garbage collector: survives faults, and drops nothing that is switched back to."""

from threading import Event
from time import time
from uuid import UUID

import pytest
from django.db import DatabaseError
from redis import Redis

from events.store.generations import new_generation
from events.vault import erasures
from projectors.erasure.coordinator import ErasureCoordinator
from projectors.errors import RetryLater
from projectors.generations import garbage_collector
from projectors.generations.garbage_collector import GenerationCollector, StillNeeded, drop
from projectors.generations.pointers import KEPT_KEY, Pointers
from projectors.read_models.trending.read_model import Trending
from tests.fixtures.memory_store import MemoryStore

ANN, BOB = UUID(int=1), UUID(int=2)


class Idle(GenerationCollector):
    """Collector with nothing to drop."""

    def __init__(self):
        """Coordinator without read models."""

    def drop_expired(self):
        pass

    def drop_orphans(self):
        pass


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(garbage_collector, "_POLL_SECONDS", 0.001)
    monkeypatch.setattr(garbage_collector, "close_old_connections", lambda: None)


def test_collector_continues_after_any_fault():
    faults = [ValueError(), KeyError(), DatabaseError(), RetryLater(), StillNeeded()]
    done = Event()

    def also():
        if faults:
            raise faults.pop()
        done.set()

    garbage_collector._collect_garbage(Idle(), also, done)
    assert done.is_set()


@pytest.mark.django_db
class TestGoingBack:
    """A generation is switched back to at the moment it is to be dropped."""

    @pytest.fixture
    def pointers(self, redis) -> Pointers:
        """Pointers of a platform on which generation 1 has expired."""
        pointers = Pointers(redis)
        pointers.switch({"trending": 1})
        pointers.switch({"trending": 2})
        redis.hset(KEPT_KEY, "trending:1", repr(time() - 1))
        redis.set(Trending(redis, 1).shard(0).state("a"), 1)
        return pointers

    def test_generation_kept_longer_after_the_snapshot_is_not_dropped(
        self, redis, pointers, monkeypatch
    ):
        see = Pointers.snapshot

        def while_looking(self):
            result = see(self)
            pointers.keep_on("trending", 1, seconds=60)
            return result

        monkeypatch.setattr(Pointers, "snapshot", while_looking)
        GenerationCollector([Trending], pointers).drop_expired()
        assert redis.exists(Trending(redis, 1).shard(0).state("a"))
        assert ("trending", 1) in see(pointers).kept

    @pytest.mark.parametrize(
        "point",
        [
            lambda pointers: pointers.switch({"trending": 1}),
            lambda pointers: pointers.join({"trending": 1}),
        ],
        ids=["live", "joining"],
    )
    def test_drop_keeps_keys_of_a_generation_switched_to_meanwhile(
        self, redis, pointers, monkeypatch, point
    ):
        release = Pointers.release

        def while_releasing(self, name, number):
            release(self, name, number)
            point(self)

        monkeypatch.setattr(Pointers, "release", while_releasing)
        with pytest.raises(StillNeeded):
            drop(Trending(redis, 1), pointers)
        assert redis.exists(Trending(redis, 1).shard(0).state("a"))

    def test_dropped_generation_cannot_be_kept(self, redis, pointers):
        GenerationCollector([Trending], pointers).drop_expired()
        assert not pointers.keep_on("trending", 1, seconds=60)
        assert not redis.exists(Trending(redis, 1).shard(0).state("a"))

    def test_generation_back_after_redis_crash_is_dropped_again(self, redis, pointers):
        number = new_generation("trending", version=Trending.version, purpose="past")
        model = Trending(redis, number)
        redis.hset(model.shard(0).checkpoints_key, "0", 7)
        pointers.remember("then", "trending", number)
        before = {key: redis.dump(key) for key in redis.scan_iter("{trending*")}
        drop(model, pointers)
        for key, held in before.items():
            redis.restore(key, 0, held, replace=True)
        pointers.remember("then", "trending", number)
        GenerationCollector([Trending], pointers).drop_orphans()
        assert not redis.exists(model.shard(0).checkpoints_key)
        assert pointers.snapshot().past == {}

    def test_keep_on_never_shortens_the_retention(self, pointers):
        pointers.switch({"trending": 3})
        before = pointers.snapshot().kept
        assert pointers.keep_on("trending", 2, seconds=1)
        assert pointers.snapshot().kept["trending", 2] == before["trending", 2]


def test_erasure_that_must_wait_does_not_delay_others(monkeypatch):
    monkeypatch.setattr(erasures, "incomplete", lambda: [ANN, BOB])
    let = []

    def purge_user(_, user_id):
        if user_id == ANN:
            raise RetryLater("not now")
        let.append(user_id)

    monkeypatch.setattr(ErasureCoordinator, "purge_user", purge_user)
    with Redis(port=1) as unreachable:
        ErasureCoordinator(unreachable, MemoryStore(1)).resume_all()
    assert let == [BOB]
