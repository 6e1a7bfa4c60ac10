"""Command handler: decided on the current stream, appended once."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from command_api.aggregate import MAX_ATTEMPTS, handle
from command_api.ratings.decider import RateMovie, WithdrawRating, rating, stream
from events.catalogue import MovieRated
from events.recorded import Origin, Position
from events.store import WrongExpectedVersion
from infra.errors import NotFound
from tests.fixtures.memory_store import MemoryStore

ANN = UUID(int=1)
ALIEN = 7
ORIGIN = Origin(correlation_id=uuid4())
careful = replace(rating, expects_new_stream=False)


class Racing(MemoryStore):
    """A store in which a rival appends first, a given number of times."""

    def __init__(self, rivals: int) -> None:
        super().__init__(partitions=8)
        self._rivals = rivals

    def append(self, stream, events, *, expected, origin, occurred_at=None):
        if self._rivals:
            self._rivals -= 1
            score = 1 + expected % 10
            rival = MovieRated(user_id=ANN, movie_id=ALIEN, score=score, previous=None)
            super().append(stream, [rival], expected=expected, origin=origin)
        return super().append(stream, events, expected=expected, origin=origin)


@pytest.mark.parametrize("aggregate", [rating, careful])
def test_command_is_decided_again_when_the_stream_moved(aggregate):
    store = Racing(1)
    handled = handle(RateMovie(ANN, ALIEN, 9), aggregate, store, origin=ORIGIN)
    [recorded] = handled.events
    assert recorded.version == 2
    assert recorded.event == MovieRated(user_id=ANN, movie_id=ALIEN, score=9, previous=1)
    assert handled.state.score == 9
    assert handled.position == recorded.position


def test_command_gives_up_when_the_stream_always_moves():
    with pytest.raises(WrongExpectedVersion):
        handle(RateMovie(ANN, ALIEN, 10), careful, Racing(MAX_ATTEMPTS), origin=ORIGIN)


@pytest.mark.parametrize("aggregate", [rating, careful])
def test_command_without_events_answers_with_the_streams_last_position(aggregate):
    store = MemoryStore(8)
    first = handle(RateMovie(ANN, ALIEN, 9), aggregate, store, origin=ORIGIN)
    handle(RateMovie(ANN, ALIEN + 1, 9), aggregate, store, origin=ORIGIN)
    repeated = handle(RateMovie(ANN, ALIEN, 9), aggregate, store, origin=ORIGIN)
    assert not repeated.events
    assert (repeated.state, repeated.position) == (first.state, first.position)
    assert sum(store.heads()) == 2


def test_command_without_events_on_an_empty_stream_answers_with_the_partitions_start():
    silent = replace(careful, decide=lambda _command, _state: ())
    command = RateMovie(ANN, ALIEN, 9)
    store = MemoryStore(8)
    handled = handle(command, silent, store, origin=ORIGIN)
    [existing] = store.append(
        stream(command),
        [MovieRated(user_id=ANN, movie_id=ALIEN, score=9)],
        expected=0,
        origin=ORIGIN,
    )
    assert handled.position == Position(existing.partition, 0)


def test_command_refused_on_an_assumed_new_stream_is_decided_on_the_real_one():
    store = MemoryStore(8)
    handle(RateMovie(ANN, ALIEN, 9), rating, store, origin=ORIGIN)
    withdrawn = handle(WithdrawRating(ANN, ALIEN), rating, store, origin=ORIGIN)
    assert withdrawn.state.score is None
    with pytest.raises(NotFound):
        handle(WithdrawRating(ANN, ALIEN), rating, store, origin=ORIGIN)
