"""Ratings over HTTP are appended once, with their position."""

import threading

import pytest

from command_api.event_store import store
from events.catalogue import MovieAdded, MovieRated
from events.notifications import listening, log_channel
from events.position_token import decode_positions
from events.recorded import partition_of
from infra import clients
from tests.command_api.conftest import ALIEN, HEAT, Api, in_thread, log_rows
from tests.fixtures.waiting import until

UUID_OF_REQUEST = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_rating_is_appended_and_answered_with_its_position(api, ann):
    answer = api.rate(ALIEN, 8, by=ann, X_Request_ID=UUID_OF_REQUEST, traceparent=TRACE)
    assert (answer.status_code, answer.json()) == (200, {"movie_id": ALIEN, "score": 8})
    [position] = decode_positions(answer.headers["Log-Position"])
    assert position.partition == partition_of(str(ann.user_id), store().partitions)
    [recorded] = store().page(position.partition, after=position.offset - 1, limit=10)
    assert recorded.stream == f"rating-{ann.user_id}-{ALIEN}"
    assert recorded.event == MovieRated(user_id=ann.user_id, movie_id=ALIEN, score=8)
    assert str(recorded.origin.correlation_id) == UUID_OF_REQUEST
    assert recorded.origin.traceparent == TRACE
    assert answer.headers["X-Request-ID"] == UUID_OF_REQUEST
    assert answer.headers["Cache-Control"] == "no-store"


def test_rating_is_withdrawn(api, ann):
    [rated] = decode_positions(api.rate(ALIEN, 8, by=ann).headers["Log-Position"])
    answer = api("DELETE", f"/v1/movies/{ALIEN}/rating", by=ann)
    assert (answer.status_code, answer.content) == (204, b"")
    assert decode_positions(answer.headers["Log-Position"]) == (
        rated._replace(offset=rated.offset + 1),
    )
    assert [type_ for type_, _ in log_rows()] == ["movie-rated.v1", "rating-withdrawn.v1"]
    assert api("DELETE", f"/v1/movies/{ALIEN}/rating", by=ann).status_code == 404


def test_rating_given_again_answers_with_its_first_position(api, ann):
    first = api.rate(ALIEN, 8, by=ann)
    api.rate(HEAT, 3, by=ann)
    repeated = api.rate(ALIEN, 8, by=ann)
    assert repeated.headers["Log-Position"] == first.headers["Log-Position"]
    assert repeated.content == first.content
    assert len(log_rows()) == 2


def test_malformed_request_id_or_trace_is_not_recorded(api, ann):
    answer = api.rate(ALIEN, 8, by=ann, X_Request_ID="'; --", traceparent="00-zz")
    [position] = decode_positions(answer.headers["Log-Position"])
    [recorded] = store().page(position.partition, after=position.offset - 1, limit=1)
    assert recorded.origin.traceparent is None
    assert answer.headers["X-Request-ID"] == str(recorded.origin.correlation_id)


def test_rating_announces_its_partition(api, ann):
    with listening(clients.redis(), log_channel()) as listener:
        while not clients.redis().pubsub_numsub(log_channel())[0][1]:
            listener.wait(0.05)
        [position] = decode_positions(api.rate(ALIEN, 8, by=ann).headers["Log-Position"])
        partition, announced = str(position.partition).encode(), set()
        until(lambda: partition in announced, turn=lambda: announced.update(listener.wait(1)))
    movies = {str(partition_of(str(id_), store().partitions)).encode() for id_ in (ALIEN, HEAT)}
    assert announced - movies <= {partition}  # announcements of the fixture's movies may be late


def test_concurrent_ratings_of_one_movie_are_all_appended_in_order(api, ann):
    """Each event's ``previous`` is the score of the event before it."""

    def rate(score):
        statuses.append(Api().rate(ALIEN, score, by=ann).status_code)

    statuses: list[int] = []
    threads = [threading.Thread(target=in_thread(rate), args=(score,)) for score in (2, 4, 6, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert statuses == [200] * 4
    partition = partition_of(str(ann.user_id), store().partitions)
    page = [recorded.event for recorded in store().page(partition, after=0, limit=100)]
    # movies may share the partition
    rating_events = [
        event for event in page if not isinstance(event, MovieAdded)
    ]  # movies may share the partition
    events = [event for event in rating_events if isinstance(event, MovieRated)]
    assert events == rating_events
    assert [event.previous for event in events] == [None, *(e.score for e in events[:-1])]
    assert sorted(event.score for event in events) == [2, 4, 6, 8]


@pytest.mark.parametrize("movie", ["999", "2147483648", "99999999999999999999999"])
def test_rating_of_an_unknown_movie_is_not_found(api, ann, movie):
    answer = api("PUT", f"/v1/movies/{movie}/rating", {"score": 8}, by=ann)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    assert log_rows() == []
