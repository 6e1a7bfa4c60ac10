"""Assignments: a worker follows the pointers, and each builder reads the right sources."""

from threading import Event

import pytest

from projectors.consumer.assignments import GenerationAssignments
from projectors.generations.live import Live
from projectors.generations.pointers import GenerationId, Pointers
from projectors.generations.selection import Role
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.trending.read_model import Trending
from projectors.storage.read_model import leave_encrypted
from tests.fixtures import model_access
from tests.fixtures.memory_store import MemoryStore

KINDS = (Movies, Trending)


class Wanted(dict[GenerationId, Role]):
    """Generations that the pointers ask for, set by the test."""

    def __call__(self):
        return self


@pytest.fixture
def selected() -> Wanted:
    return Wanted({("movies", 1): "live", ("trending", 1): "live"})


@pytest.fixture
def assignments(redis, selected):
    failed = Event()
    assignments = GenerationAssignments(
        selected,
        KINDS,
        redis=redis,
        live=Live(redis),
        store=MemoryStore(2),
        decrypt=leave_encrypted,
        failed=lambda _: failed.set(),
    )
    Pointers(redis).switch({"movies": 1, "trending": 1})
    assignments.refresh()
    yield assignments
    assignments.stop()
    assert not failed.is_set()


def roles(assignments):
    return {each.generation_id: each.role for each in assignments.assigned}


def sources(assignments, generation_id):
    [each] = [each for each in assignments.assigned if each.generation_id == generation_id]
    return {kind.name: number for kind, number in each.sources.items()}


def builder(assignments, generation_id):
    [each] = [each for each in assignments.assigned if each.generation_id == generation_id]
    return each.builder


def test_live_generations_are_followed_and_built(assignments):
    assert roles(assignments) == {("movies", 1): "live", ("trending", 1): "live"}
    assert sources(assignments, ("trending", 1)) == {"movies": 1}


def test_builder_of_joining_generation_reads_joining_sources(assignments, selected):
    selected |= {("movies", 2): "joining", ("trending", 2): "joining"}
    assignments.refresh()
    assert sources(assignments, ("trending", 2)) == {"movies": 2}
    assert sources(assignments, ("trending", 1)) == {"movies": 1}


def test_joining_generation_keeps_its_builder_when_it_goes_live(assignments, selected, redis):
    selected |= {("movies", 2): "joining", ("trending", 2): "joining"}
    assignments.refresh()
    before = builder(assignments, ("trending", 2)), builder(assignments, ("trending", 1))
    selected |= {("movies", 2): "live", ("trending", 2): "live"}
    selected |= {("movies", 1): "kept", ("trending", 1): "kept"}
    Pointers(redis).switch({"movies": 2, "trending": 2})
    assignments.refresh()
    assert (builder(assignments, ("trending", 2)), builder(assignments, ("trending", 1))) == before
    assert sources(assignments, ("trending", 1)) == {"movies": 1}


def test_builder_is_replaced_when_only_its_source_was_rebuilt(assignments, selected, redis):
    before = builder(assignments, ("trending", 1))
    selected |= {("movies", 2): "live", ("movies", 1): "kept"}
    Pointers(redis).switch({"movies": 2})
    assignments.refresh()
    assert sources(assignments, ("trending", 1)) == {"movies": 2}
    assert builder(assignments, ("trending", 1)) is not before


def test_dropped_generation_stops_its_builder(assignments, selected, redis):
    selected |= {("movies", 2): "live", ("trending", 2): "live"}
    selected |= {("movies", 1): "kept", ("trending", 1): "kept"}
    Pointers(redis).switch({"movies": 2, "trending": 2})
    assignments.refresh()
    dropped_builder = builder(assignments, ("trending", 1))
    del selected["trending", 1], selected["movies", 1]
    assignments.refresh()
    assert roles(assignments) == {("movies", 2): "live", ("trending", 2): "live"}
    dropped_builder.join()
    assert not dropped_builder.is_alive


def test_builder_of_kept_generation_reads_live_sources_once_its_own_are_gone(
    assignments, selected, redis
):
    selected |= {("movies", 2): "live", ("trending", 2): "live", ("trending", 1): "kept"}
    del selected["movies", 1]
    Pointers(redis).switch({"movies": 2, "trending": 2})
    assignments.refresh()
    assert sources(assignments, ("trending", 1)) == {"movies": 2}


def test_live_generation_is_not_built_from_coming_source(redis, selected):
    """As after an update of the movies model: pages keep their content."""
    del selected["movies", 1]
    selected["movies", 2] = "coming"
    pointers, trending = Pointers(redis), Trending(redis, 1)
    pointers.switch({"movies": 1, "trending": 1})
    redis.hset(trending.pages_key, "day|", b"a page")
    assignments = GenerationAssignments(
        selected,
        KINDS,
        redis=redis,
        live=Live(redis),
        store=MemoryStore(2),
        decrypt=leave_encrypted,
        failed=lambda _: None,
    )
    assignments.refresh()
    assert builder(assignments, ("trending", 1)) is None
    assert model_access.board_page(trending, "day") == b"a page"
    selected["movies", 2] = "live"
    pointers.switch({"movies": 2})
    assignments.refresh()
    assert sources(assignments, ("trending", 1)) == {"movies": 2}
    assignments.stop()


def test_builder_starts_once_its_sources_are_live(redis, selected):
    selected.clear()
    selected["trending", 1] = "coming"
    assignments = GenerationAssignments(
        selected,
        KINDS,
        redis=redis,
        live=Live(redis),
        store=MemoryStore(2),
        decrypt=leave_encrypted,
        failed=lambda _: None,
    )
    assignments.refresh()
    [each] = assignments.assigned
    assert (each.builder, each.is_ready) == (None, False)
    Pointers(redis).switch({"movies": 5})
    assignments.refresh()
    assert sources(assignments, ("trending", 1)) == {"movies": 5}
    assignments.stop()
