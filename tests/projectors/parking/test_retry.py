"""Retry and skip of parked events, with workers and other retries at the same time."""

from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.catalogue import MovieRated
from events.recorded import Origin, Position, Recorded, Stream
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
from tests.fixtures.memory_store import MemoryStore
from tests.projectors.verification.test_state import entries as everything

ANN = UUID(int=1)
GOOD, BAD, WORSE = 1, 2, 3
ORIGIN = Origin(correlation_id=ANN)


class World:
    """A log, a model that fails on some movies, and a follower."""

    def __init__(self, redis):
        self.store = MemoryStore(1)
        self.model = FailingReadModel(redis, 1)
        self.model.bad_movies = frozenset({BAD, WORSE})
        self.parked_retry = ParkedStreamRetry(self.model, self.store, leave_encrypted)
        self.worker = self.start_worker()

    def start_worker(self):
        worker = Follower(self.model, self.store)
        worker.sync(self.store.heads())
        return worker

    def rate(self, movie: int, score: int = 5) -> Recorded:
        stream = Stream(f"rating-{movie}", str(ANN))
        recorded: Recorded
        [recorded] = self.store.append(
            stream,
            [MovieRated(user_id=ANN, movie_id=movie, score=score)],
            expected=self.store.versions([stream]).get(stream.name, 0),
            origin=ORIGIN,
        )
        return recorded

    def rate_all(self, *movies: int) -> None:
        """Rate each movie with its offset as score and apply the events."""
        for movie in movies:
            self.worker.process([self.rate(movie, 1 + sum(self.store.heads()))])

    def key(self, movie: int) -> ParkedStreamKey:
        return ParkedStreamKey(self.model.shard(0), f"rating-{movie}")

    def fix_model(self) -> None:
        self.model.bad_movies = frozenset()

    def offsets(self, movie: int) -> list[int]:
        return [entry.offset for entry in read_parked_events(self.model.redis, *self.key(movie))]


@pytest.fixture
def world(redis):
    return World(redis)


def test_retry_after_fix_applies_whole_stream(world):
    world.rate_all(GOOD, BAD, BAD, WORSE, GOOD)
    world.fix_model()
    assert world.parked_retry.retry(world.key(BAD)) == (2, 0, "")
    assert world.model.scores() == {"rating-1": 5, "rating-2": 3}
    assert world.model.times() == {"rating-1": 2, "rating-2": 2}
    assert world.offsets(WORSE) == [4]
    assert read(world.model.redis, world.model.shard(0), []).unapplied.parked == {
        Position(0, 4): "rating-3"
    }


def test_workers_apply_stream_again_after_retry(world):
    world.rate_all(GOOD, BAD)
    world.fix_model()
    world.parked_retry.retry(world.key(BAD))
    world.rate_all(BAD)
    assert world.model.scores() == {"rating-1": 1, "rating-2": 3}
    assert [key for key in world.model.redis.scan_iter() if b":parked:" in key] == [
        world.model.shard(0).revision_key.encode()
    ]


def test_retry_that_fails_again_stores_new_reason(world):
    world.rate_all(GOOD, BAD, BAD)
    world.model.bad_movies = frozenset({BAD, "another fault"})
    assert world.parked_retry.retry(world.key(BAD)) == (0, 2, "KeyError: 2")
    first, second = read_parked_events(world.model.redis, *world.key(BAD))
    assert (first.tries, second.tries) == (2, 0)
    assert count_parked(world.model, 1) == (2, 0)


def test_retry_applies_events_before_the_one_that_fails(world, monkeypatch):
    world.rate_all(GOOD, BAD, BAD, BAD)
    world.fix_model()
    writes = FailingReadModel.writes

    def still_failing(self, shard, batch):
        if any(recorded.offset == 3 for recorded in batch):
            raise LookupError("the second one")
        return writes(self, shard, batch)

    monkeypatch.setattr(FailingReadModel, "writes", still_failing)
    assert world.parked_retry.retry(world.key(BAD)) == (1, 2, "LookupError: the second one")
    assert world.offsets(BAD) == [3, 4]
    assert world.model.times() == {"rating-1": 1, "rating-2": 1}


def test_retry_applies_events_parked_meanwhile_last(world, monkeypatch):
    """Workers go on between two steps of a retry, and between its read and its step."""
    world.rate_all(GOOD, BAD, BAD, BAD)
    world.fix_model()
    monkeypatch.setattr(retry, "_EVENTS_AT_ONCE", 1)
    more, read = [BAD, GOOD, BAD, GOOD], parked.read_parked_events

    def while_reading(*where):
        entries = read(*where)
        if more:
            world.rate_all(more.pop())
        return entries

    monkeypatch.setattr(retry, "read_parked_events", while_reading)
    assert world.parked_retry.retry(world.key(BAD)) == (5, 0, "")
    assert world.model.times() == {"rating-1": 3, "rating-2": 5}
    assert world.model.scores() == {"rating-1": 7, "rating-2": 8}
    assert verify(world.model, world.store, advance=lambda _: None).shown == []


def test_worker_decides_again_when_stream_was_retried_meanwhile(world):
    """The worker decided to park the next event before the stream was retried."""
    world.rate_all(GOOD, BAD)
    world.fix_model()
    late = world.start_worker()
    world.parked_retry.retry(world.key(BAD))
    late.process([world.rate(BAD, 9)])
    assert (world.model.scores()["rating-2"], world.offsets(BAD)) == (9, [])


def test_retry_leaves_revision_so_other_streams_continue(world):
    """A new revision for every retried stream would make the workers decide again each time."""
    world.rate_all(GOOD, BAD, WORSE)
    shard = world.model.shard(0)
    before = read_revision(world.model.redis, shard)
    world.fix_model()
    world.parked_retry.retry(world.key(BAD))
    assert read_revision(world.model.redis, shard) == before


def test_concurrent_retries_apply_stream_once(world, monkeypatch):
    world.rate_all(GOOD, BAD, BAD)
    world.fix_model()
    rival, read = (
        ParkedStreamRetry(world.model, world.store, leave_encrypted),
        parked.read_parked_events,
    )
    racing = [True]

    def while_reading(*where):
        entries = read(*where)
        if racing.pop() if racing else False:
            assert rival.retry(world.key(BAD)) == (2, 0, "")
        return entries

    monkeypatch.setattr(retry, "read_parked_events", while_reading)
    assert world.parked_retry.retry(world.key(BAD)) == (0, 0, "")
    assert world.model.times() == {"rating-1": 1, "rating-2": 2}


def test_unpark_refuses_events_that_are_not_parked(world):
    world.rate_all(GOOD, BAD)
    shard, [aside] = (
        world.model.shard(0),
        read_parked_streams(world.model.redis, [world.model.shard(0)]),
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


def test_retry_sets_derived_data_behind(world):
    world.rate_all(GOOD, BAD, GOOD)
    shard = world.model.shard(0)
    world.model.redis.hset(shard.built_key, "0", 3)
    world.fix_model()
    world.parked_retry.retry(world.key(BAD))
    assert (world.model.built(0), world.model.checkpoint(0)) == (1, 3)


def test_skip_drops_first_event_and_records_it(world):
    world.rate_all(GOOD, BAD, BAD)
    assert world.parked_retry.skip(world.key(BAD), "sent by a broken client") == 1
    world.fix_model()
    assert world.parked_retry.retry(world.key(BAD)) == (1, 0, "")
    assert world.model.times() == {"rating-1": 1, "rating-2": 1}
    [one] = read_skipped_events(world.model.redis, world.model.shard(0))
    assert (one.stream, one.entry.offset, one.note) == ("rating-2", 2, "sent by a broken client")
    assert one.entry.reason == "KeyError: 2"
    assert count_parked(world.model, 1) == (0, 1)


def test_skip_all_drops_every_parked_event(world):
    world.rate_all(GOOD, BAD, BAD)
    assert world.parked_retry.skip(world.key(BAD), "no loss", is_all=True) == 2
    assert (count_parked(world.model, 1), parked_stream_keys(world.model, 1)) == ((0, 2), [])
    world.fix_model()
    world.rate_all(BAD)
    assert world.model.times() == {"rating-1": 1, "rating-2": 1}


@pytest.mark.parametrize(("is_all", "given_up"), [(False, []), (True, [3, 4])])
def test_skip_drops_nothing_when_a_retry_applied_it_meanwhile(world, monkeypatch, is_all, given_up):
    world.rate_all(GOOD, BAD, BAD, BAD)
    world.fix_model()
    writes, read = FailingReadModel.writes, parked.read_parked_events
    rival = ParkedStreamRetry(world.model, world.store, leave_encrypted)
    racing = [True]

    def all_but_the_first(self, shard, batch):
        if any(recorded.offset == 3 for recorded in batch):
            raise LookupError
        return writes(self, shard, batch)

    def while_reading(*where):
        entries = read(*where)
        if racing.pop() if racing else False:
            assert rival.retry(world.key(BAD)).applied == 1
        return entries

    monkeypatch.setattr(FailingReadModel, "writes", all_but_the_first)
    monkeypatch.setattr(retry, "read_parked_events", while_reading)
    assert world.parked_retry.skip(world.key(BAD), "n", is_all=is_all) == len(given_up)
    noted = read_skipped_events(world.model.redis, world.model.shard(0))
    assert [one.entry.offset for one in noted] == given_up


def test_skip_all_leaves_events_parked_after_first_read(world, monkeypatch):
    """The first read decides which events are skipped, however often the step is repeated."""
    world.rate_all(GOOD, BAD, BAD)
    read = parked.read_parked_events
    more = [BAD, WORSE]  # the second one makes the step read again

    def while_reading(*where):
        entries = read(*where)
        while more:
            world.rate_all(more.pop(0))
        return entries

    monkeypatch.setattr(retry, "read_parked_events", while_reading)
    assert world.parked_retry.skip(world.key(BAD), "n", is_all=True) == 2
    assert world.offsets(BAD) == [4]


def test_skip_sent_twice_by_connection_counts_once(world, monkeypatch):
    world.rate_all(GOOD, BAD, BAD)
    unpark = Shard.unpark

    def sent_twice(self, *args, **more):
        unpark(self, *args, **more)
        unpark(self, *args, **more)

    monkeypatch.setattr(Shard, "unpark", sent_twice)
    assert world.parked_retry.skip(world.key(BAD), "n") == 1
    assert world.offsets(BAD) == [3]


def test_verify_counts_parked_and_skipped_events(world):
    world.rate_all(GOOD, BAD, BAD, WORSE)
    world.parked_retry.skip(world.key(WORSE), "no loss")
    world.fix_model()
    verdict = verify(world.model, world.store, advance=lambda _: None)
    assert verdict.shown == []
    assert (verdict.parked, verdict.streams, verdict.skipped) == (2, 1, 1)


def test_verify_finds_difference_beside_parked_events(world):
    world.rate_all(GOOD, BAD)
    world.fix_model()
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
    st.tuples(st.just("fix_model"), STREAMS),
    st.tuples(st.just("retry"), STREAMS),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=40))
def test_failures_and_retries_lose_nothing_and_count_nothing_twice(redis, steps):
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
                other = world.start_worker()
                if page := world.store.page(0, after=other.checkpoints[0], limit=which):
                    other.process(page)
            case "poison":
                world.model.bad_movies |= {which}
            case "fix_model":
                world.model.bad_movies -= {which}
            case "retry":
                world.parked_retry.retry(world.key(which))
            case _:
                raise AssertionError(step)
        assert verify(FailingReadModel(redis, 1), world.store, advance=lambda _: None).shown == []
    world.fix_model()
    finish(world)
    logged_streams = [event.stream for event in world.store.page(0, after=0, limit=1000)]
    assert world.model.times() == {
        stream: logged_streams.count(stream) for stream in set(logged_streams)
    }
    verdict = verify(world.model, world.store, advance=lambda _: None)
    assert (verdict.shown, verdict.parked) == ([], 0)


def finish(world):
    worker = world.start_worker()
    if page := world.store.page(0, after=worker.checkpoints[0], limit=1000):
        worker.process(page)
    for key in parked_stream_keys(world.model, 1):
        assert world.parked_retry.retry(key).left == 0


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
def test_state_after_fix_and_retry_equals_state_without_failure(redis, log, model, data):
    redis.flushdb()
    all_ = [p for n, head in enumerate(log.heads()) for p in ((n, o) for o in range(1, head + 1))]
    bad = frozenset(Position(*p) for p in data.draw(st.sets(st.sampled_from(all_), max_size=8)))
    size = data.draw(st.integers(1, 60))
    broken, mended = poisoned(model, bad)(redis, 1), model(redis, 1)
    follow(broken, log, size)
    assert verify(mended, log, advance=lambda _: None).shown == []
    assert parked.count_parked(mended, 4).parked >= len(bad)
    second_retry = ParkedStreamRetry(mended, log, leave_encrypted)
    for key in data.draw(st.permutations(parked_stream_keys(mended, 4))):
        assert second_retry.retry(key).left == 0
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
