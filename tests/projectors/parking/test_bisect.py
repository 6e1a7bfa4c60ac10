"""Bisecting: poison events, the rest of their streams, and the reasons kept."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import ConnectionError as RedisAway

from events.catalogue import MovieRated
from events.recorded import Origin, Recorded
from projectors.errors import PoisonEvent, RetryLater, StopProjector
from projectors.parking.bisect import isolate_failures
from projectors.parking.store import FOLLOWS_PARKED_EVENT
from tests.fixtures.recording import NOON

ORIGIN = Origin(correlation_id=UUID(int=0))


def recorded(offset: int, stream: str) -> Recorded:
    return Recorded(
        partition=0,
        offset=offset,
        stream=stream,
        version=1,
        occurred_at=NOON,
        recorded_at=NOON,
        origin=ORIGIN,
        event=MovieRated(user_id=UUID(int=1), movie_id=1, score=5),
    )


def batch_of(streams: str) -> list[Recorded]:
    return [recorded(offset, stream) for offset, stream in enumerate(streams, start=1)]


def failing_at(*offsets: int, error: Exception | None = None):
    def attempt(events):
        if any(event.offset in offsets for event in events):
            raise error or ValueError("bob")
        return "".join(f"{event.offset}," for event in events).encode()

    return attempt


def offsets(packed: list[bytes]) -> list[int]:
    return [int(word) for word in b"".join(packed).split(b",") if word]


def test_bisect_tries_sound_batch_once_as_a_whole():
    result = isolate_failures(batch_of("abcd"), (), failing_at())
    assert (result.packed, result.parked, result.reasons) == ([b"1,2,3,4,"], [], {})


def test_bisect_parks_poison_event_and_rest_of_its_stream():
    result = isolate_failures(batch_of("abcbab"), (), failing_at(2))
    assert offsets(result.packed) == [1, 3, 5]
    assert [(event.offset, why is FOLLOWS_PARKED_EVENT) for event, why in result.parked] == [
        (2, False),
        (4, True),
        (6, True),
    ]
    assert {stream: why.reason for stream, why in result.reasons.items()} == {
        "b": "ValueError: bob"
    }


def test_bisect_applies_events_before_poison_event_of_same_stream():
    result = isolate_failures(batch_of("bbb"), (), failing_at(2))
    assert offsets(result.packed) == [1]
    assert [event.offset for event, _ in result.parked] == [2, 3]


def test_bisect_does_not_try_parked_stream():
    result = isolate_failures(batch_of("aba"), {"a"}, failing_at(1, 3))
    assert (offsets(result.packed), result.reasons) == ([2], {})
    assert [(event.offset, why) for event, why in result.parked] == [
        (1, FOLLOWS_PARKED_EVENT),
        (3, FOLLOWS_PARKED_EVENT),
    ]


def test_bisect_raises_transient_errors():
    for error in (
        RetryLater("x"),
        RedisAway("x"),
        TimeoutError("x"),
        MemoryError(),
        StopProjector("x"),
    ):
        with pytest.raises(type(error)):
            isolate_failures(batch_of("ab"), (), failing_at(2, error=error))


def test_reason_of_personal_model_does_not_quote_the_error():
    open_ = isolate_failures(batch_of("a"), (), failing_at(1), is_personal=True).reasons["a"]
    assert open_.reason == "ValueError"
    assert "bob" not in open_.trace.rpartition("\n")[2]
    own = failing_at(1, error=PoisonEvent("a field does not open"))
    assert (
        isolate_failures(batch_of("a"), (), own, is_personal=True).reasons["a"].reason
        == "a field does not open"
    )


@given(st.text("abcdef", max_size=40), st.sets(st.integers(1, 40)), st.sets(st.sampled_from("ab")))
def test_bisect_applies_or_parks_each_event_and_keeps_stream_order(streams, bad, parked):
    result = isolate_failures(batch_of(streams), parked, failing_at(*bad))
    expected, stopped = [], set(parked)
    for offset, stream in enumerate(streams, start=1):
        if offset in bad:
            stopped.add(stream)
        if stream not in stopped:
            expected.append(offset)
    assert offsets(result.packed) == expected
    assert [event.offset for event, _ in result.parked] == [
        offset for offset in range(1, len(streams) + 1) if offset not in expected
    ]
