"""State of read models: the same log adds up to the same state, however it is delivered."""

from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from events.catalogue import (
    MovieAdded,
    MovieDescribed,
    MovieLinked,
    MovieRated,
    MovieRestored,
    MovieWithdrawn,
    PreferencesChanged,
    RatingWithdrawn,
    SessionRevoked,
    SessionsRevoked,
    UserErased,
)
from projectors.registry import MODELS
from projectors.storage.shard import CheckpointMismatch
from projectors.verification.fold import InMemoryRedis, Value
from tests.fixtures import model_access
from tests.fixtures.recording import NOON, Recording

users = st.integers(1, 4).map(lambda n: UUID(int=n))
movies = st.integers(1, 4)
genres = st.lists(st.sampled_from(["Crime", "Drama", "War"]), unique=True, max_size=2).map(tuple)
actions = st.one_of(
    st.tuples(st.just("rate"), users, movies, st.integers(1, 10)),
    st.tuples(st.just("withdraw"), users, movies),
    st.tuples(st.just("describe"), movies, st.text(max_size=3), genres),
    st.tuples(st.just("link"), movies, st.sampled_from(["imdb", "tmdb"]), st.text(max_size=3)),
    st.tuples(st.just("withdraw movie"), movies),
    st.tuples(st.just("restore movie"), movies),
    st.tuples(st.just("prefer"), users, genres),
    st.tuples(st.just("revoke"), users, st.integers(1, 3)),
    st.tuples(st.just("revoke all"), users),
    st.tuples(st.just("erase"), users),
)


class ConsistentRecording:
    """Records events with consistent previous scores and session epochs."""

    def __init__(self):
        self.recording = Recording()
        self._scores = {}
        self._epochs = {}
        self._known = set()

    def record(self, action, hours):
        for event in self._events(*action):
            self.recording.record(event, at=NOON + timedelta(hours=hours))

    def _events(self, name, subject, *more):  # noqa: C901, PLR0912 - one case per action
        match name, *more:
            case "rate", movie, score:
                previous = self._scores.get((subject, movie))
                if previous != score:
                    self._scores[subject, movie] = score
                    yield MovieRated(
                        user_id=subject, movie_id=movie, score=score, previous=previous
                    )
            case "withdraw", movie:
                if previous := self._scores.pop((subject, movie), None):
                    yield RatingWithdrawn(user_id=subject, movie_id=movie, previous=previous)
            case "describe", title, genres:
                kind = MovieDescribed if subject in self._known else MovieAdded
                self._known.add(subject)
                yield kind(movie_id=subject, title=title, year=1999, genres=genres)
            case "link", source, external_id:
                yield MovieLinked(movie_id=subject, source=source, external_id=external_id)
            case ("withdraw movie",):
                yield MovieWithdrawn(movie_id=subject, reason="a double")
            case ("restore movie",):
                yield MovieRestored(movie_id=subject)
            case "prefer", genres:
                yield PreferencesChanged(user_id=subject, genres=genres)
            case "revoke", family:
                yield SessionRevoked(user_id=subject, family=UUID(int=family), expires_at=NOON)
            case ("revoke all",):
                self._epochs[subject] = self._epochs.get(subject, 0) + 1
                yield SessionsRevoked(user_id=subject, epoch=self._epochs[subject])
            case ("erase",):
                yield UserErased(user_id=subject)
            case _:
                raise AssertionError(name)


logs = st.lists(st.tuples(actions, st.integers(0, 200)), max_size=40)


def recorded(actions) -> Recording:
    log = ConsistentRecording()
    for action, hours in actions:
        log.record(action, hours)
    return log.recording


def state(model, batches) -> dict[str, Value]:
    folded = InMemoryRedis()
    for batch in batches:
        shard = model.shard(batch[0].partition)
        prefix = shard.state("")
        folded.apply(w for w in model.writes(shard, batch) if w[1].startswith(prefix))
    return dict(folded.values)


@pytest.mark.parametrize("kind", MODELS)
@given(log=logs, data=st.data())
def test_state_is_independent_of_partition_order_and_batch_size(kind, log, data):
    recording, model = recorded(log), kind(Redis(), 1)
    expected = state(model, recording.by_partition().values())
    pieces = []
    for events in recording.by_partition().values():
        cuts = data.draw(st.sets(st.integers(1, max(1, len(events) - 1))))
        bounds = sorted({0, len(events)} | {cut for cut in cuts if cut < len(events)})
        pieces.append([events[start:end] for start, end in pairwise(bounds)])
    shuffled = []
    while any(pieces):
        some = data.draw(st.sampled_from([piece for piece in pieces if piece]))
        shuffled.append(some.pop(0))
    assert state(model, shuffled) == expected


@pytest.mark.parametrize("kind", MODELS)
@given(log=logs)
def test_writes_stay_within_the_shard(kind, log):
    model = kind(Redis(), 1)
    for partition, events in recorded(log).by_partition().items():
        shard = model.shard(partition)
        for write in model.writes(shard, events):
            assert write[1].startswith((shard.state(""), shard.derived("")))
            assert all(isinstance(part, str | int) for part in write)


@pytest.mark.parametrize("kind", MODELS)
def test_batch_delivered_twice_counts_once(kind, redis):
    log: list[tuple[tuple[Any, ...], int]] = [
        (("rate", UUID(int=1), movie, 7), 0) for movie in range(1, 5)
    ]
    log += [(("describe", 1, "Alien", ("Horror",)), 0), (("revoke", UUID(int=1), 1), 0)]
    recording, model = recorded(log), kind(redis, 1)
    for events in recording.by_partition().values():
        model_access.apply(model, events)
        once = {key: redis.dump(key) for key in redis.scan_iter()}
        for redelivered in (events, events[:1], events[-1:]):
            with suppress(CheckpointMismatch):
                model_access.apply(model, redelivered)
        assert {key: redis.dump(key) for key in redis.scan_iter()} == once
