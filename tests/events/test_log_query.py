"""Log queries: filters and order of the events shown."""

from uuid import UUID

import pytest

from events.catalogue import MovieLinked, MovieRated, RatingWithdrawn
from events.log_query import EventFilter, last_events, new_events
from events.recorded import Origin, Stream
from tests.fixtures.memory_store import MemoryStore

ANN, BOB = UUID(int=1), UUID(int=2)
ORIGIN = Origin(correlation_id=UUID(int=7))


@pytest.fixture
def store():
    store = MemoryStore(8)
    for movie in range(5):
        rate(store, ANN, movie)
        rate(store, BOB, movie)
    link = MovieLinked(movie_id=3, source="tmdb", external_id="9")
    store.append(Stream("movie-3", "3"), [link], expected=0, origin=ORIGIN)
    return store


def rate(store, user, movie):
    stream = Stream(f"rating-{user}-{movie}", str(user))
    events = [
        MovieRated(user_id=user, movie_id=movie, score=7),
        RatingWithdrawn(user_id=user, movie_id=movie, previous=7),
    ]
    store.append(stream, events, expected=0, origin=ORIGIN)


def names(recorded_events):
    return [f"{it.stream}@{it.version}" for it in recorded_events]


def test_last_events_are_in_recording_order(store):
    assert names(last_events(store, EventFilter(), 4)) == [
        f"rating-{ANN}-4@2",
        f"rating-{BOB}-4@1",
        f"rating-{BOB}-4@2",
        "movie-3@1",
    ]


@pytest.mark.parametrize("type_", ["movie-linked", "movie-linked.v1"])
def test_filter_by_type_matches_any_version(store, type_):
    assert names(last_events(store, EventFilter(type=type_), 10)) == ["movie-3@1"]


def test_filter_by_stream(store):
    events = last_events(store, EventFilter(stream=f"rating-{BOB}-2"), 10)
    assert names(events) == [f"rating-{BOB}-2@1", f"rating-{BOB}-2@2"]


def test_filter_by_user(store):
    events = last_events(store, EventFilter(user=str(ANN)), 100)
    assert len(events) == 10
    assert all(str(ANN) in it.stream for it in events)


def test_filter_by_type_and_user(store):
    events = last_events(store, EventFilter(type="rating-withdrawn", user=str(BOB)), 2)
    assert names(events) == [f"rating-{BOB}-3@2", f"rating-{BOB}-4@2"]


def test_query_without_matches_is_empty(store):
    assert last_events(store, EventFilter(stream="movie-99"), 10) == []
    assert last_events(MemoryStore(8), EventFilter(), 10) == []


def test_new_events_are_returned_once(store):
    heads = dict(enumerate(store.heads()))
    assert list(new_events(store, EventFilter(), heads)) == []
    rate(store, ANN, 5)
    assert names(new_events(store, EventFilter(type="movie-rated"), heads)) == [f"rating-{ANN}-5@1"]
    assert list(new_events(store, EventFilter(type="movie-rated"), heads)) == []
