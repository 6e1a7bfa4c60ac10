"""Builders: built offsets never claim more than was built."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from events.recorded import Origin
from projectors.building.dirty_marks import DirtyMarks
from projectors.generations.live import Live
from projectors.generations.pointers import Pointers
from projectors.read_models.recommendations import builder as recommendations_builder
from projectors.read_models.search import builder as search_builder
from projectors.registry import MODELS, WITH_BUILDER, make_builders
from tests.fixtures.memory_store import MemoryStore
from tests.projectors.verification.test_state import apply_log, entries

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
READING_METHODS = {
    "search": (search_builder, "_read_dirty"),
    "recommendations": (recommendations_builder, "read_queues"),
}

pytestmark = pytest.mark.usefixtures("keys")


@pytest.fixture
def models(redis, elasticsearch_url):
    store = MemoryStore(4)
    store.append_many(entries(), origin=Origin(correlation_id=uuid4()))
    result = {model.name: model(redis, 1) for model in MODELS}
    for model in result.values():
        apply_log(model, store)
    Pointers(redis).switch(dict.fromkeys(result, 1))
    return result


@pytest.fixture
def builders(redis, models):
    return {builder.name: builder for builder in make_builders(models, Live(redis))}


def mark_changed(model):
    """Mark data as changed, as applying a parked event does."""
    for shard in model.shards(4):
        for partition in shard.checkpoints():
            model.redis.hset(shard.built_key, str(partition), 0)
        model.redis.hincrby(shard.changes_key, "late", 1)


@pytest.mark.parametrize("name", [model.name for model in WITH_BUILDER])
def test_event_retried_during_a_build_is_not_noted_as_built(models, builders, name, monkeypatch):
    model = models[name]
    for builder in builders.values():
        builder.build(NOW)
        builder.build(NOW)  # trending's view of the cards may have been outdated
    assert model.built_offsets(4) == model.checkpoints(4)

    where, what = READING_METHODS.get(name, (DirtyMarks, "take"))
    look = getattr(where, what)

    def look_then_mark(*args, **more):
        result = look(*args, **more)
        mark_changed(model)
        return result

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(where, what, look_then_mark)
        builders[name].build(NOW)
    assert model.built_offsets(4) == [0, 0, 0, 0]
    builders[name].build(NOW)
    assert model.built_offsets(4) == model.checkpoints(4)
