"""Pointers: switching, keeping and dropping generations."""

from datetime import UTC, datetime, timedelta
from time import time
from typing import Any, ClassVar

import pytest
from redis import Redis

from events.store.generations import Generation
from projectors.generations.garbage_collector import StillNeeded, drop, is_orphan
from projectors.generations.live import Live, NoSuchPast, NotReady
from projectors.generations.pointers import Pointers
from projectors.storage.read_model import ReadModel

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Thing(ReadModel):
    """Read model without data."""

    name: ClassVar[str] = "thing"
    by_partition: ClassVar[bool] = False

    def writes(self, shard, batch):
        return ()


@pytest.fixture
def pointers(redis) -> Pointers:
    return Pointers(redis)


def test_switch_of_several_models_keeps_the_old_generations(pointers):
    pointers.switch({"thing": 1, "other": 4})
    before = time()
    pointers.switch({"thing": 2, "other": 5})
    snapshot = pointers.snapshot()
    assert snapshot.live == {"thing": 2, "other": 5}
    assert set(snapshot.kept) == {("thing", 1), ("other", 4)}
    assert all(until >= before + 15 * 60 for until in snapshot.kept.values())


def test_switch_to_the_live_generation_keeps_nothing(pointers):
    pointers.switch({"thing": 1})
    pointers.switch({"thing": 1})
    assert pointers.snapshot().kept == {}


def test_switch_clears_coming_and_joining(pointers):
    pointers.propose("thing", 2)
    pointers.join({"thing": 3})
    pointers.switch({"thing": 2})
    assert (pointers.snapshot().coming, pointers.snapshot().joining) == ({}, {"thing": 3})
    pointers.switch({"thing": 3})
    assert pointers.snapshot().joining == {}


def test_followed_lists_generations_of_running_workers(pointers):
    assert pointers.followed() == set()
    pointers.note_followed([("thing", 1), ("other", 2)])
    assert pointers.followed() == {("thing", 1), ("other", 2)}
    pointers.forget_followed("thing", 1)
    assert pointers.followed() == {("other", 2)}


def test_past_generation_is_found_by_its_label(pointers, redis):
    live = Live(redis)
    pointers.switch({"thing": 1})
    pointers.remember("then", "thing", 7)
    assert live.open_past(Thing, "then").generation == 7
    assert live.open(Thing).generation == 1
    with pytest.raises(NoSuchPast, match="thing as of before"):
        live.open_past(Thing, "before")


def test_model_without_live_generation_is_not_ready(redis):
    with pytest.raises(NotReady):
        Live(redis).open(Thing)


@pytest.mark.django_db
class TestDropping:
    def test_drop_removes_all_keys_of_the_generation_and_no_others(self, pointers, redis):
        for number in (1, 2, 12):
            redis.set(Thing(redis, number).shard(0).state("a"), 1)
            redis.set(Thing(redis, number).shard(0).derived("b"), 1)
        pointers.switch({"thing": 1})
        pointers.switch({"thing": 2})
        assert drop(Thing(redis, 1), pointers) == 2
        assert {key.decode().split(".")[1] for key in redis.scan_iter("{thing*")} == {"2", "12"}
        assert pointers.snapshot().kept == {}

    @pytest.mark.parametrize(
        "point",
        [
            lambda pointers: pointers.switch({"thing": 1}),
            lambda pointers: pointers.propose("thing", 1),
            lambda pointers: pointers.join({"thing": 1}),
        ],
        ids=["live", "coming", "joining"],
    )
    def test_drop_refuses_live_coming_and_joining_generations(self, pointers, redis, point):
        point(pointers)
        redis.set(Thing(redis, 1).shard(0).state("a"), 1)
        with pytest.raises(StillNeeded):
            drop(Thing(redis, 1), pointers)
        assert redis.exists(Thing(redis, 1).shard(0).state("a"))

    def test_drop_removes_the_label_of_a_past_generation(self, pointers, redis):
        pointers.remember("then", "thing", 7)
        drop(Thing(redis, 7), pointers)
        with pytest.raises(NoSuchPast):
            Live(redis).open_past(Thing, "then")


def generation(number: int, **more) -> Generation:
    row: dict[str, Any] = {"purpose": "live", "label": None, "until": None, "finished_at": None}
    row |= {"made_at": NOW - timedelta(hours=2), "dropped_at": None, "version": 1, **more}
    return Generation(model="thing", number=number, **row)


LATELY, LONG_AGO = NOW - timedelta(minutes=1), NOW - timedelta(hours=2)


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        (generation(1), True),
        (generation(2), False),  # live
        (generation(3), False),  # kept
        (generation(1, made_at=LATELY), False),
        (generation(1, purpose="rebuild"), False),  # its rebuild is resumed
        (generation(1, purpose="rebuild", finished_at=LONG_AGO), True),
        (generation(1, purpose="rebuild", finished_at=LATELY), False),
        (generation(4, purpose="past", finished_at=LONG_AGO), False),
        (generation(1, dropped_at=LATELY), True),
        (generation(1, dropped_at=LONG_AGO), False),
    ],
)
def test_generation_without_pointer_or_rebuild_is_an_orphan(pointers, candidate, expected):
    pointers.switch({"thing": 3})
    pointers.switch({"thing": 2})
    pointers.remember("then", "thing", 4)
    assert is_orphan(candidate, pointers.snapshot(), NOW) is expected


def test_nothing_is_an_orphan_while_the_model_has_no_live_generation(pointers):
    assert not is_orphan(generation(1), pointers.snapshot(), NOW)


class Interrupted:
    """A pipeline during which something happens before its nth command."""

    def __init__(self, redis, nth, happens):
        self._redis, self._nth, self._happens = redis, nth, happens
        self._replies: list[dict[bytes, bytes]] = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def hgetall(self, key):
        if len(self._replies) == self._nth:
            self._happens()
        self._replies.append(self._redis.hgetall(key))

    def execute(self):
        return self._replies


@pytest.mark.parametrize("nth", range(6))
@pytest.mark.parametrize("pointer", ["coming", "joining", "kept"])
def test_snapshot_during_a_switch_misses_no_generation(redis, pointers, monkeypatch, pointer, nth):
    pointers.switch({"thing": 2})
    pointers.switch({"thing": 1})
    if pointer != "kept":
        pointers.release("thing", 2)
    if pointer == "coming":
        pointers.propose("thing", 2)
    if pointer == "joining":
        pointers.join({"thing": 2})
    rival = Pointers(Redis(connection_pool=redis.connection_pool))
    interrupted = Interrupted(rival._redis, nth, lambda: rival.switch({"thing": 2}))
    monkeypatch.setattr(redis, "pipeline", lambda **_: interrupted)
    snapshot = pointers.snapshot()
    assert snapshot.is_followed("thing", 1)
    assert snapshot.is_followed("thing", 2)
