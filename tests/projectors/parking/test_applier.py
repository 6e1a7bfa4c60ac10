"""Parking by stream, in the step that moves the checkpoint, and the circuit breaker."""

import json
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from events.catalogue import MovieRated, PlaylistRenamed
from events.catalogue.accounts import EncryptedField
from events.recorded import Origin, Position, Recorded, Stream
from projectors.consumer.follower import Follower
from projectors.errors import StopProjector
from projectors.parking.applier import ParkingApplier
from projectors.parking.circuit_breaker import CircuitBreaker
from projectors.parking.retry import ParkedStreamKey, ParkedStreamRetry
from projectors.parking.store import (
    UnappliedEvents,
    count_parked,
    read_parked_events,
)
from projectors.storage.read_model import leave_encrypted
from projectors.storage.shard import CheckpointMismatch, ParkedStreamsChanged
from projectors.verification.snapshot import read
from tests.fixtures import model_access
from tests.fixtures.failing_read_model import FailingReadModel
from tests.fixtures.memory_store import MemoryStore

ANN = UUID(int=1)
GOOD, BAD, WORSE = 1, 2, 3
ORIGIN = Origin(correlation_id=uuid4())


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(1)


@pytest.fixture
def model(redis) -> FailingReadModel:
    model = FailingReadModel(redis, 1)
    model.bad_movies = frozenset({BAD})
    return model


@pytest.fixture
def rate(store) -> Callable[..., Recorded]:
    def rate(movie: int, score: int = 5, *, user: UUID = ANN) -> Recorded:
        """The next event of a stream of its own for each movie and user."""
        stream = Stream(f"rating-{user.int}-{movie}", str(user))
        recorded: Recorded
        [recorded] = store.append(
            stream,
            [MovieRated(user_id=user, movie_id=movie, score=score)],
            expected=store.versions([stream]).get(stream.name, 0),
            origin=ORIGIN,
        )
        return recorded

    return rate


def synced_follower(model, store) -> Follower:
    follower = Follower(model, store)
    follower.sync(store.heads())
    return follower


def applier(model, store) -> ParkingApplier:
    return ParkingApplier(model, store, leave_encrypted, CircuitBreaker(model.name, store))


def test_poison_event_parks_only_its_stream(model, store, rate):
    follower = synced_follower(model, store)
    batch = [rate(GOOD, 4), rate(BAD, 5), rate(WORSE, 6), rate(BAD, 7), rate(GOOD, 8)]
    follower.process(batch)
    assert (model.scores(), model.times()) == (
        {"rating-1-1": 8, "rating-1-3": 6},
        {"rating-1-1": 2, "rating-1-3": 1},
    )
    assert (follower.checkpoints, follower.is_backing_off, follower.lag(store.heads())) == (
        [5],
        False,
        0,
    )
    assert read(model.redis, model.shard(0), []).unapplied == UnappliedEvents(
        parked={Position(0, 2): "rating-1-2", Position(0, 4): "rating-1-2"}, skipped=frozenset()
    )


def test_stream_parked_again_by_restored_redis_is_not_overtaken(model, store, rate):
    """Redis was killed before it saved the retry; the worker has applied events after it."""
    follower = synced_follower(model, store)
    follower.process([rate(GOOD), rate(BAD, 1)])
    before = {key: model.redis.dump(key) for key in model.redis.scan_iter()}
    model.bad_movies = frozenset()
    ParkedStreamRetry(model, store, leave_encrypted).retry(
        ParkedStreamKey(model.shard(0), "rating-1-2")
    )
    follower.process([rate(BAD, 2)])
    assert model.scores()["rating-1-2"] == 2

    model.redis.flushdb()
    for key, held in before.items():
        model.redis.restore(key, 0, held)
    follower.sync(store.heads())
    follower.process(store.page(0, after=0, limit=10))
    offsets = [
        entry.offset for entry in read_parked_events(model.redis, model.shard(0), "rating-1-2")
    ]
    assert (model.scores(), offsets) == ({"rating-1-1": 5}, [2, 3])
    ParkedStreamRetry(model, store, leave_encrypted).retry(
        ParkedStreamKey(model.shard(0), "rating-1-2")
    )
    assert model.scores()["rating-1-2"] == 2


def test_stream_parked_again_by_restored_redis_is_not_overtaken_before_a_failure(
    model, store, rate
):
    follower = synced_follower(model, store)
    follower.process([rate(GOOD), rate(BAD, 1)])
    before = {key: model.redis.dump(key) for key in model.redis.scan_iter()}
    model.bad_movies = frozenset()
    ParkedStreamRetry(model, store, leave_encrypted).retry(
        ParkedStreamKey(model.shard(0), "rating-1-2")
    )
    follower.process([rate(BAD, 2)])
    model.redis.flushdb()
    for key, held in before.items():
        model.redis.restore(key, 0, held)
    follower.sync(store.heads())

    rate(BAD, 3)
    model.bad_offsets = frozenset({4})
    follower.process(store.page(0, after=0, limit=10))
    offsets = [
        entry.offset for entry in read_parked_events(model.redis, model.shard(0), "rating-1-2")
    ]
    assert (model.scores(), offsets) == ({"rating-1-1": 5}, [2, 3, 4])


def test_parked_event_keeps_payload_reason_and_trace(model, store, rate):
    synced_follower(model, store).process([rate(GOOD), rate(BAD, 5), rate(BAD, 7)])
    first, second = read_parked_events(model.redis, model.shard(0), "rating-1-2")
    assert (first.partition, first.offset, first.version, first.tries) == (0, 2, 1, 1)
    assert (first.type, json.loads(first.data)["score"]) == ("movie-rated.v1", 5)
    assert first.reason == "KeyError: 2"
    assert "raise KeyError" in first.trace
    assert (second.offset, second.tries, second.trace) == (3, 0, "")
    assert second.reason == "follows a parked event of its stream"


def test_later_events_of_parked_stream_are_parked_by_any_worker(model, store, rate):
    synced_follower(model, store).process([rate(GOOD), rate(BAD)])
    model.bad_movies = frozenset()  # new deploy: the events still wait for those parked before them
    synced_follower(model, store).process([rate(BAD, 9), rate(GOOD, 9)])
    assert model.scores() == {"rating-1-1": 9}
    assert [e.offset for e in read_parked_events(model.redis, model.shard(0), "rating-1-2")] == [
        2,
        3,
    ]


def test_worker_unaware_of_parked_stream_decides_again(model, store, rate):
    first, second = synced_follower(model, store), synced_follower(model, store)
    batch = [rate(GOOD), rate(BAD)]
    first.process(batch)
    model.bad_movies = frozenset()
    second.checkpoints = [2]  # it knows the offset but no parked streams
    second.process([rate(BAD, 9), rate(GOOD, 9)])
    assert model.scores() == {"rating-1-1": 9}
    assert second.checkpoints == [4]
    assert [e.offset for e in read_parked_events(model.redis, model.shard(0), "rating-1-2")] == [
        2,
        3,
    ]


def test_shard_refuses_batch_of_another_revision(model, store, rate):
    synced_follower(model, store).process([rate(GOOD), rate(BAD)])
    before = model.redis.dump(model.shard(0).checkpoints_key)
    with pytest.raises(ParkedStreamsChanged):
        model_access.apply(model, [rate(GOOD)])
    assert model.redis.dump(model.shard(0).checkpoints_key) == before


def test_redelivered_batch_is_parked_once(model, store, rate):
    batch = [rate(GOOD), rate(BAD), rate(BAD)]
    synced_follower(model, store).process(batch)
    once = {key: model.redis.dump(key) for key in model.redis.scan_iter()}
    synced_follower(model, store).process(batch)
    applier(model, store).apply(batch)
    with pytest.raises(CheckpointMismatch):
        applier(model, store).apply(batch[:2])
    assert {key: model.redis.dump(key) for key in model.redis.scan_iter()} == once


def test_nothing_is_parked_when_shard_refuses_batch(model, store, rate):
    batch = [rate(GOOD), rate(BAD)]
    with pytest.raises(CheckpointMismatch):
        applier(model, store).apply(batch[1:])
    assert count_parked(model, 1) == (0, 0)
    assert [key for key in model.redis.scan_iter() if b"parked" in key] == []


def test_parked_events_lie_under_tag_of_shard(model, store, rate):
    synced_follower(model, store).process([rate(GOOD), rate(BAD)])
    kinds = {key.decode().partition("}:")[::2] for key in model.redis.scan_iter()}
    assert {tag for tag, _ in kinds} == {"{poisoned.1.all"}
    assert sorted(name for _, name in kinds if name.startswith("parked")) == [
        "parked:left-out",
        "parked:revision",
        "parked:stream:rating-1-2",
        "parked:streams",
    ]


def test_nothing_is_parked_after_redis_lost_its_data(model, store, rate):
    follower = synced_follower(model, store)
    follower.process([rate(GOOD), rate(BAD)])
    model.redis.flushdb()
    model.bad_movies = frozenset()
    follower.sync(store.heads())
    follower.process(store.page(0, after=0, limit=10))
    assert model.scores() == {"rating-1-1": 5, "rating-1-2": 5}


def test_parking_is_logged_once_per_stream(model, store, rate, caplog):
    follower = synced_follower(model, store)
    follower.process([rate(GOOD), rate(BAD)])
    follower.process([rate(BAD), rate(GOOD)])
    messages = [r.getMessage() for r in caplog.records if "parked" in r.getMessage()]
    assert messages == ["poisoned: parked stream rating-1-2 from 0:2 on: KeyError: 2"]


# ------------------------------------------------------------------------------ circuit breaker


def test_breaker_stops_worker_when_everything_fails_and_parks_nothing(model, store, rate):
    batch = [rate(BAD, user=UUID(int=user)) for user in range(1, 30)]
    with pytest.raises(StopProjector, match="poisoned fails on everything: 29 streams"):
        synced_follower(model, store).process(batch)
    assert (count_parked(model, 1), model.checkpoints(1)) == ((0, 0), [0])


def test_breaker_stops_worker_on_single_event_when_events_around_fail(model, store, rate):
    """As delivered by the bus: events before and after are tried before the first is parked."""
    batch = [rate(BAD, user=UUID(int=user)) for user in range(1, 30)]
    with pytest.raises(StopProjector):
        synced_follower(model, store).process(batch[:1])
    assert count_parked(model, 1) == (0, 0)


def test_breaker_stops_deploy_that_fails_on_events_applied_before(model, store, rate):
    model.bad_movies = frozenset()
    follower = synced_follower(model, store)
    follower.process([rate(BAD, user=UUID(int=user)) for user in range(1, 30)])
    model.bad_movies = frozenset({BAD})
    with pytest.raises(StopProjector):
        synced_follower(model, store).process([rate(BAD, user=UUID(int=99))])
    assert count_parked(model, 1) == (0, 0)


def test_breaker_parks_after_one_success_nearby(model, store, rate):
    follower = synced_follower(model, store)
    batch = [rate(BAD, user=UUID(int=user)) for user in range(1, 30)]
    rate(GOOD)
    follower.process(batch)
    assert count_parked(model, 1) == (29, 0)


def test_breaker_counts_event_without_writes_as_no_success(model, store, rate):
    batch = [rate(BAD, user=UUID(int=user)) for user in range(1, 30)]
    playlist = Stream("playlist-1", str(ANN))
    renamed = PlaylistRenamed(playlist_id="1", user_id=ANN, name=EncryptedField("n"))
    batch += store.append(playlist, [renamed], expected=0, origin=ORIGIN)
    with pytest.raises(StopProjector):
        synced_follower(model, store).process(batch)


def test_breaker_lets_park_when_few_streams_fail(model, store, rate):
    batch = [rate(BAD, user=UUID(int=user)) for user in range(1, 10)]
    synced_follower(model, store).process(batch)
    assert count_parked(model, 1) == (9, 0)


def test_breaker_remembers_parked_streams_across_restarts(model, store, rate):
    for user in range(1, 20):
        synced_follower(model, store).process([rate(BAD, user=UUID(int=user))])
    for user in range(20, 40):
        with pytest.raises(StopProjector):
            synced_follower(model, store).process([rate(BAD, user=UUID(int=user))])
    assert count_parked(model, 1).parked == 19


def test_breaker_counts_each_stream_once(model, store, rate):
    synced_follower(model, store).process([rate(BAD) for _ in range(50)])
    assert count_parked(model, 1).parked == 50
