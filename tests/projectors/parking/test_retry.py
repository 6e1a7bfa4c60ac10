"""Is what was parked taken in after all, once and in order, whoever is at work meanwhile?"""

from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.catalogue import MovieRated
from events.recorded import Origin, Position, Recorded, Stream
from events.store.memory import MemoryStore
from projectors.consumer.follower import Follower
from projectors.parking import retry
from projectors.parking import store as parked
from projectors.parking.retry import ParkedStreamKey, ParkedStreamRetry, parked_stream_keys
from projectors.parking.store import (
    ParkedStreams,
    count_parked,
    read_parked_events,
    read_parked_streams,
    read_revision,
    read_skipped_events,
)
from projectors.registry import MODELS
from projectors.storage.read_model import ReadModel, leave_encrypted
from projectors.storage.shard import ParkedStreamsChanged, Shard
from projectors.verification.snapshot import read
from projectors.verification.state import verify
from tests.fixtures.failing_read_model import FailingReadModel
from tests.projectors.verification.test_state import entries as everything

ANN = UUID(int=1)
GOOD, BAD, WORSE = 1, 2, 3
ORIGIN = Origin(correlation_id=ANN)


class World:
    """A log, a model that is poisoned, and a worker that follows."""

    def __init__(self, redis):
        self.store = MemoryStore(1)
        self.model = FailingReadModel(redis, 1)
        self.model.bad_movies = frozenset({BAD, WORSE})
        self.parked_retry = ParkedStreamRetry(self.model, self.store, leave_encrypted)
        self.worker = self.begin()

    def begin(self):
        worker = Follower(self.model, self.store)
        worker.sync(self.store.heads())
        return worker

    def rate(self, movie: int, score: int = 5) -> Recorded:
        stream = Stream(f"rating-{movie}", str(ANN))
        made: Recorded
        [made] = self.store.append(
            stream,
            [MovieRated(user_id=ANN, movie_id=movie, score=score)],
            expected=self.store.versions([stream]).get(stream.name, 0),
            origin=ORIGIN,
        )
        return made

    def happen(self, *movies: int) -> None:
        """Each movie is rated, its offset the score; the worker takes it in at once."""
        for movie in movies:
            self.worker.process([self.rate(movie, 1 + sum(self.store.heads()))])

    def place(self, movie: int) -> ParkedStreamKey:
        return ParkedStreamKey(self.model.shard(0), f"rating-{movie}")

    def mend(self) -> None:
        self.model.bad_movies = frozenset()

    def offsets(self, movie: int) -> list[int]:
        return [entry.offset for entry in read_parked_events(self.model.redis, *self.place(movie))]


@pytest.fixture
def world(redis):
    return World(redis)


def test_after_the_fix_the_stream_is_level(world):
    world.happen(GOOD, BAD, BAD, WORSE, GOOD)
    world.mend()
    assert world.parked_retry.retry(world.place(BAD)) == (2, 0, "")
    assert world.model.scores() == {"rating-1": 5, "rating-2": 3}
    assert world.model.times() == {"rating-1": 2, "rating-2": 2}
    assert world.offsets(WORSE) == [4]
    assert read(world.model.redis, world.model.shard(0), []).unapplied.parked == {
        Position(0, 4): "rating-3"
    }


def test_from_then_on_workers_take_the_stream_in(world):
    world.happen(GOOD, BAD)
    world.mend()
    world.parked_retry.retry(world.place(BAD))
    world.happen(BAD)
    assert world.model.scores() == {"rating-1": 1, "rating-2": 3}
    assert [key for key in world.model.redis.scan_iter() if b":parked:" in key] == [
        world.model.shard(0).revision_key.encode()
    ]


def test_what_fails_again_stays_with_its_new_reason(world):
    world.happen(GOOD, BAD, BAD)
    world.model.bad_movies = frozenset({BAD, "another fault"})
    assert world.parked_retry.retry(world.place(BAD)) == (0, 2, "KeyError: 2")
    first, second = read_parked_events(world.model.redis, *world.place(BAD))
    assert (first.tries, second.tries) == (2, 0)
    assert count_parked(world.model, 1) == (2, 0)


def test_it_gets_as_far_as_it_can(world, monkeypatch):
    world.happen(GOOD, BAD, BAD, BAD)
    world.mend()
    writes = FailingReadModel.writes

    def still_failing(self, shard, batch):
        if any(recorded.offset == 3 for recorded in batch):
            raise LookupError("the second one")
        return writes(self, shard, batch)

    monkeypatch.setattr(FailingReadModel, "writes", still_failing)
    assert world.parked_retry.retry(world.place(BAD)) == (1, 2, "LookupError: the second one")
    assert world.offsets(BAD) == [3, 4]
    assert world.model.times() == {"rating-1": 1, "rating-2": 1}


def test_events_that_come_meanwhile_are_taken_in_behind(world, monkeypatch):
    """Between two steps, and between a look and its step, the workers go on."""
    world.happen(GOOD, BAD, BAD, BAD)
    world.mend()
    monkeypatch.setattr(retry, "_EVENTS_AT_ONCE", 1)
    more, read = [BAD, GOOD, BAD, GOOD], parked.read_parked_events

    def while_reading(*where):
        found = read(*where)
        if more:
            world.happen(more.pop())
        return found

    monkeypatch.setattr(retry, "read_parked_events", while_reading)
    assert world.parked_retry.retry(world.place(BAD)) == (5, 0, "")
    assert world.model.times() == {"rating-1": 3, "rating-2": 5}
    assert world.model.scores() == {"rating-1": 7, "rating-2": 8}
    assert verify(world.model, world.store, advance=lambda _: None).shown == []


def test_a_worker_that_takes_the_stream_for_parked_decides_again(world):
    """It has decided to park the next event when the stream is parked no more."""
    world.happen(GOOD, BAD)
    world.mend()
    late = world.begin()
    world.parked_retry.retry(world.place(BAD))
    late.process([world.rate(BAD, 9)])
    assert (world.model.scores()["rating-2"], world.offsets(BAD)) == (9, [])


def test_workers_are_not_held_up_by_a_retry_of_other_streams(world):
    """A revision for each stream that is parked no more would send them back each time."""
    world.happen(GOOD, BAD, WORSE)
    shard = world.model.shard(0)
    before = read_revision(world.model.redis, shard)
    world.mend()
    world.parked_retry.retry(world.place(BAD))
    assert read_revision(world.model.redis, shard) == before


def test_two_who_retry_at_once_apply_it_once(world, monkeypatch):
    world.happen(GOOD, BAD, BAD)
    world.mend()
    rival, read = (
        ParkedStreamRetry(world.model, world.store, leave_encrypted),
        parked.read_parked_events,
    )
    racing = [True]

    def while_reading(*where):
        found = read(*where)
        if racing.pop() if racing else False:
            assert rival.retry(world.place(BAD)) == (2, 0, "")
        return found

    monkeypatch.setattr(retry, "read_parked_events", while_reading)
    assert world.parked_retry.retry(world.place(BAD)) == (0, 0, "")
    assert world.model.times() == {"rating-1": 1, "rating-2": 2}


def test_what_is_parked_no_more_can_not_be_applied(world):
    world.happen(GOOD, BAD)
    shard, [aside] = (
        world.model.shard(0),
        read_parked_streams(world.model.redis, [world.model.shard(0)], {}),
    )
    for wrong in (ParkedStreams("another").revision, aside.revision):
        with pytest.raises(ParkedStreamsChanged):
            shard.unpark(
                0,
                stream="rating-2",
                offsets=[2, 99],
                packed=[],
                revision=wrong,
                is_applied=True,
            )
    assert world.offsets(BAD) == [2]


def test_what_was_built_is_behind_until_it_is_built_again(world):
    world.happen(GOOD, BAD, GOOD)
    shard = world.model.shard(0)
    world.model.redis.hset(shard.built_key, "0", 3)
    world.mend()
    world.parked_retry.retry(world.place(BAD))
    assert (world.model.built(0), world.model.checkpoint(0)) == (1, 3)


def test_skipping_gives_up_the_first_and_remembers_it(world):
    world.happen(GOOD, BAD, BAD)
    assert world.parked_retry.skip(world.place(BAD), "sent by a broken client") == 1
    world.mend()
    assert world.parked_retry.retry(world.place(BAD)) == (1, 0, "")
    assert world.model.times() == {"rating-1": 1, "rating-2": 1}
    [one] = read_skipped_events(world.model.redis, world.model.shard(0))
    assert (one.stream, one.entry.offset, one.note) == ("rating-2", 2, "sent by a broken client")
    assert one.entry.reason == "KeyError: 2"
    assert count_parked(world.model, 1) == (0, 1)


def test_skipping_all_gives_up_what_there_is(world):
    world.happen(GOOD, BAD, BAD)
    assert world.parked_retry.skip(world.place(BAD), "no loss", is_all=True) == 2
    assert (count_parked(world.model, 1), parked_stream_keys(world.model, 1)) == ((0, 2), [])
    world.mend()
    world.happen(BAD)
    assert world.model.times() == {"rating-1": 1, "rating-2": 1}


@pytest.mark.parametrize(("is_all", "given_up"), [(False, []), (True, [3, 4])])
def test_skipping_gives_up_nothing_instead_of_what_another_took_in(
    world, monkeypatch, is_all, given_up
):
    world.happen(GOOD, BAD, BAD, BAD)
    world.mend()
    writes, read = FailingReadModel.writes, parked.read_parked_events
    rival = ParkedStreamRetry(world.model, world.store, leave_encrypted)
    racing = [True]

    def all_but_the_first(self, shard, batch):
        if any(recorded.offset == 3 for recorded in batch):
            raise LookupError
        return writes(self, shard, batch)

    def while_reading(*where):
        found = read(*where)
        if racing.pop() if racing else False:
            assert rival.retry(world.place(BAD)).applied == 1
        return found

    monkeypatch.setattr(FailingReadModel, "writes", all_but_the_first)
    monkeypatch.setattr(retry, "read_parked_events", while_reading)
    assert world.parked_retry.skip(world.place(BAD), "n", is_all=is_all) == len(given_up)
    noted = read_skipped_events(world.model.redis, world.model.shard(0))
    assert [one.entry.offset for one in noted] == given_up


def test_skipping_all_leaves_what_came_after_the_first_look(world, monkeypatch):
    """What its step meets is decided by the first look, however often it looks again."""
    world.happen(GOOD, BAD, BAD)
    read = parked.read_parked_events
    more = [BAD, WORSE]  # the second one makes the step look again

    def while_reading(*where):
        found = read(*where)
        while more:
            world.happen(more.pop(0))
        return found

    monkeypatch.setattr(retry, "read_parked_events", while_reading)
    assert world.parked_retry.skip(world.place(BAD), "n", is_all=True) == 2
    assert world.offsets(BAD) == [4]


def test_a_skip_that_the_connection_sent_twice_is_done_once_and_says_so(world, monkeypatch):
    world.happen(GOOD, BAD, BAD)
    unpark = Shard.unpark

    def sent_twice(self, *args, **more):
        unpark(self, *args, **more)
        unpark(self, *args, **more)

    monkeypatch.setattr(Shard, "unpark", sent_twice)
    assert world.parked_retry.skip(world.place(BAD), "n") == 1
    assert world.offsets(BAD) == [3]


def test_verify_names_what_it_left_out(world):
    world.happen(GOOD, BAD, BAD, WORSE)
    world.parked_retry.skip(world.place(WORSE), "no loss")
    world.mend()
    verdict = verify(world.model, world.store, advance=lambda _: None)
    assert verdict.shown == []
    assert (verdict.parked, verdict.streams, verdict.skipped) == (2, 1, 1)


def test_verify_still_finds_what_differs_beside_it(world):
    world.happen(GOOD, BAD)
    world.mend()
    world.model.redis.hincrby(world.model.shard(0).state("times"), "rating-1", 1)
    verdict = verify(world.model, world.store, advance=lambda _: None)
    assert (verdict.differences, verdict.parked) == (1, 1)


# ------------------------------------------------------------------------------ whatever happens

STREAMS = st.integers(1, 4)
STEPS = st.one_of(
    st.tuples(st.just("rate"), STREAMS),
    st.tuples(st.just("rate"), STREAMS),
    st.tuples(st.just("take in"), st.integers(1, 5)),
    st.tuples(st.just("another worker"), st.integers(1, 5)),
    st.tuples(st.just("poison"), STREAMS),
    st.tuples(st.just("mend"), STREAMS),
    st.tuples(st.just("retry"), STREAMS),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=40))
def test_whatever_fails_and_is_mended_nothing_is_lost_or_counts_twice(redis, steps):
    redis.flushdb()
    world = World(redis)
    world.model.bad_movies = frozenset()
    for step, which in steps:
        match step:
            case "rate":
                world.rate(which, 1 + sum(world.store.heads()) % 10)
            case "take in":
                at = world.worker.checkpoints[0]
                if page := world.store.page(0, after=at, limit=which):
                    world.worker.process(page)
            case "another worker":
                other = world.begin()
                if page := world.store.page(0, after=other.checkpoints[0], limit=which):
                    other.process(page)
            case "poison":
                world.model.bad_movies |= {which}
            case "mend":
                world.model.bad_movies -= {which}
            case "retry":
                world.parked_retry.retry(world.place(which))
            case _:
                raise AssertionError(step)
        assert verify(FailingReadModel(redis, 1), world.store, advance=lambda _: None).shown == []
    world.mend()
    finish(world)
    said = [event.stream for event in world.store.page(0, after=0, limit=1000)]
    assert world.model.times() == {stream: said.count(stream) for stream in set(said)}
    verdict = verify(world.model, world.store, advance=lambda _: None)
    assert (verdict.shown, verdict.parked) == ([], 0)


def finish(world):
    worker = world.begin()
    if page := world.store.page(0, after=worker.checkpoints[0], limit=1000):
        worker.process(page)
    for place in parked_stream_keys(world.model, 1):
        assert world.parked_retry.retry(place).left == 0


def poisoned(model: type[ReadModel], bad: frozenset[Position]) -> type[ReadModel]:
    """The model, failing on some events."""

    def writes(self, shard, batch):
        assert not bad.intersection(recorded.position for recorded in batch), "a bad one"
        return model.writes(self, shard, batch)

    return type(model.__name__, (model,), {"writes": writes})


@pytest.fixture(scope="module")
def log() -> MemoryStore:
    store = MemoryStore(4)
    store.append_many(everything(), origin=ORIGIN)
    return store


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_after_fix_and_retry_a_models_state_is_as_had_nothing_failed(redis, log, model, data):
    redis.flushdb()
    all_ = [p for n, head in enumerate(log.heads()) for p in ((n, o) for o in range(1, head + 1))]
    bad = frozenset(Position(*p) for p in data.draw(st.sets(st.sampled_from(all_), max_size=8)))
    size = data.draw(st.integers(1, 60))
    broken, mended = poisoned(model, bad)(redis, 1), model(redis, 1)
    follow(broken, log, size)
    assert verify(mended, log, advance=lambda _: None).shown == []
    assert parked.count_parked(mended, 4).parked >= len(bad)
    again = ParkedStreamRetry(mended, log, leave_encrypted)
    for place in data.draw(st.permutations(parked_stream_keys(mended, 4))):
        assert again.retry(place).left == 0
    verdict = verify(mended, log, advance=lambda _: None)
    assert (verdict.shown, verdict.parked) == ([], 0)
    assert verdict.events == sum(log.heads())


def follow(model: ReadModel, log: MemoryStore, size: int) -> None:
    worker = Follower(model, log)
    worker.sync(log.heads())
    for partition in range(log.partitions):
        while page := log.page(partition, after=worker.checkpoints[partition], limit=size):
            worker.process(page)
            assert not worker.is_backing_off
