"""Does a crew follow the pointers, and does each builder read what belongs with it?"""

from threading import Event

import pytest

from events.store.memory import MemoryStore
from projectors.consumer.assignments import GenerationAssignments
from projectors.generations.live import Live
from projectors.generations.pointers import GenerationId, Pointers
from projectors.generations.selection import Role
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.trending.read_model import Trending
from projectors.storage.read_model import leave_encrypted

KINDS = (Movies, Trending)


class Wanted(dict[GenerationId, Role]):
    """What the pointers would ask for; the test says so."""

    def __call__(self):
        return self


@pytest.fixture
def wanted() -> Wanted:
    return Wanted({("movies", 1): "live", ("trending", 1): "live"})


@pytest.fixture
def crew(redis, wanted):
    failed = Event()
    found = GenerationAssignments(
        wanted,
        KINDS,
        redis=redis,
        live=Live(redis),
        store=MemoryStore(2),
        decrypt=leave_encrypted,
        failed=lambda _: failed.set(),
    )
    Pointers(redis).switch({"movies": 1, "trending": 1})
    found.refresh()
    yield found
    found.stop()
    assert not failed.is_set()


def roles(crew):
    return {member.generation_id: member.role for member in crew.assigned}


def sources(crew, place):
    [member] = [member for member in crew.assigned if member.generation_id == place]
    return {kind.name: number for kind, number in member.sources.items()}


def builder(crew, place):
    [member] = [member for member in crew.assigned if member.generation_id == place]
    return member.builder


def test_the_live_ones_are_followed_and_built(crew):
    assert roles(crew) == {("movies", 1): "live", ("trending", 1): "live"}
    assert sources(crew, ("trending", 1)) == {"movies": 1}


def test_what_joins_reads_what_joins_with_it(crew, wanted):
    wanted |= {("movies", 2): "joining", ("trending", 2): "joining"}
    crew.refresh()
    assert sources(crew, ("trending", 2)) == {"movies": 2}
    assert sources(crew, ("trending", 1)) == {"movies": 1}


def test_who_takes_over_goes_on_with_the_same_builder(crew, wanted, redis):
    wanted |= {("movies", 2): "joining", ("trending", 2): "joining"}
    crew.refresh()
    before = builder(crew, ("trending", 2)), builder(crew, ("trending", 1))
    wanted |= {("movies", 2): "live", ("trending", 2): "live"}
    wanted |= {("movies", 1): "kept", ("trending", 1): "kept"}
    Pointers(redis).switch({"movies": 2, "trending": 2})
    crew.refresh()
    assert (builder(crew, ("trending", 2)), builder(crew, ("trending", 1))) == before
    assert sources(crew, ("trending", 1)) == {"movies": 1}


def test_when_only_what_it_reads_is_another_a_builder_is_too(crew, wanted, redis):
    before = builder(crew, ("trending", 1))
    wanted |= {("movies", 2): "live", ("movies", 1): "kept"}
    Pointers(redis).switch({"movies": 2})
    crew.refresh()
    assert sources(crew, ("trending", 1)) == {"movies": 2}
    assert builder(crew, ("trending", 1)) is not before


def test_who_goes_takes_its_builder_along(crew, wanted, redis):
    wanted |= {("movies", 2): "live", ("trending", 2): "live"}
    wanted |= {("movies", 1): "kept", ("trending", 1): "kept"}
    Pointers(redis).switch({"movies": 2, "trending": 2})
    crew.refresh()
    gone = builder(crew, ("trending", 1))
    del wanted["trending", 1], wanted["movies", 1]
    crew.refresh()
    assert roles(crew) == {("movies", 2): "live", ("trending", 2): "live"}
    gone.join()
    assert not gone.is_alive


def test_one_that_is_kept_reads_the_live_ones_when_its_own_are_gone(crew, wanted, redis):
    wanted |= {("movies", 2): "live", ("trending", 2): "live", ("trending", 1): "kept"}
    del wanted["movies", 1]
    Pointers(redis).switch({"movies": 2, "trending": 2})
    crew.refresh()
    assert sources(crew, ("trending", 1)) == {"movies": 2}


def test_what_answers_is_not_built_of_what_is_coming(redis, wanted):
    """As after an update that gives movies another shape: pages stay as they are, and whole."""
    del wanted["movies", 1]
    wanted["movies", 2] = "coming"
    pointers, trending = Pointers(redis), Trending(redis, 1)
    pointers.switch({"movies": 1, "trending": 1})
    redis.hset(trending.pages_key, "day|", b"a page")
    crew = GenerationAssignments(
        wanted,
        KINDS,
        redis=redis,
        live=Live(redis),
        store=MemoryStore(2),
        decrypt=leave_encrypted,
        failed=lambda _: None,
    )
    crew.refresh()
    assert builder(crew, ("trending", 1)) is None
    assert trending.page("day") == b"a page"
    wanted["movies", 2] = "live"
    pointers.switch({"movies": 2})
    crew.refresh()
    assert sources(crew, ("trending", 1)) == {"movies": 2}
    crew.stop()


def test_a_builder_waits_until_there_is_what_it_reads(redis, wanted):
    wanted.clear()
    wanted["trending", 1] = "coming"
    crew = GenerationAssignments(
        wanted,
        KINDS,
        redis=redis,
        live=Live(redis),
        store=MemoryStore(2),
        decrypt=leave_encrypted,
        failed=lambda _: None,
    )
    crew.refresh()
    [member] = crew.assigned
    assert (member.builder, member.is_ready) == (None, False)
    Pointers(redis).switch({"movies": 5})
    crew.refresh()
    assert sources(crew, ("trending", 1)) == {"movies": 5}
    crew.stop()
