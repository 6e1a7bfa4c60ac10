"""CloudEvent encoding of events, and refusal of other messages."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest

from events import codec
from events.catalogue import MovieRated
from events.recorded import Origin, Recorded, Stored

ANN = UUID("7b0f6b52-6d2c-4f6e-9e0b-0c8a4f3c9a10")
REQUEST = UUID("0191a7d4-38f1-4c54-a8a7-4f4d5f1a2b3c")
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
LATER = datetime(2026, 1, 2, 12, 0, 1, 500_000, tzinfo=UTC)


def stored(**changes) -> Stored:
    event = MovieRated(user_id=ANN, movie_id=25, score=9)
    return msgspec.structs.replace(
        Stored(
            partition=23,
            offset=7,
            stream=f"rating-{ANN}-25",
            version=1,
            type="movie-rated.v1",
            data=codec.encode(event)[1],
            occurred_at=NOON,
            recorded_at=LATER,
            correlation_id=REQUEST,
        ),
        **changes,
    )


def test_message_is_a_cloud_event():
    assert msgspec.json.decode(codec.to_wire(stored())) == {
        "specversion": "1.0",
        "id": "23-7",
        "source": "/marquee/log",
        "type": "movie-rated.v1",
        "subject": f"rating-{ANN}-25",
        "time": "2026-01-02T12:00:00Z",
        "recordedtime": "2026-01-02T12:00:01.500000Z",
        "partition": 23,
        "offset": 7,
        "streamversion": 1,
        "correlationid": str(REQUEST),
        "data": {
            "type": "movie-rated.v1",
            "user_id": str(ANN),
            "movie_id": 25,
            "score": 9,
            "previous": None,
        },
    }


def test_attribute_names_follow_the_cloud_events_rules():
    caused = stored(causation_id="23-6", traceparent="00-ab-cd-01")
    names = msgspec.json.decode(codec.to_wire(caused)).keys()
    assert {"causationid", "traceparent"} <= names
    assert all(name.isalnum() and name == name.lower() and len(name) <= 20 for name in names)


@pytest.mark.parametrize(
    "cause",
    [
        {},
        {"causation_id": "23-6", "traceparent": "00-ab-cd-01"},
    ],
)
def test_message_decodes_to_the_stored_event(cause):
    expected = stored(**cause)
    assert codec.from_wire(codec.to_wire(expected)) == codec.decode_stored(expected)


def test_message_decodes_to_the_recorded_event():
    assert codec.from_wire(codec.to_wire(stored())) == Recorded(
        partition=23,
        offset=7,
        stream=f"rating-{ANN}-25",
        version=1,
        occurred_at=NOON,
        recorded_at=LATER,
        origin=Origin(correlation_id=REQUEST),
        event=MovieRated(user_id=ANN, movie_id=25, score=9),
    )


WIRE = codec.to_wire(stored())


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"specversion":"1.0"}',
        WIRE.replace(b'"1.0"', b'"2.0"'),
        WIRE.replace(b'"movie_id"', b'"\xff":1,"movie_id"'),
    ],
)
def test_message_that_is_not_a_cloud_event_is_refused(message):
    with pytest.raises(msgspec.DecodeError):
        codec.from_wire(message)


@pytest.mark.parametrize(
    "data", ['{"type":"movie-rated.v1"}', '{"type":"no-such.v1"}', "7", '{"type":"movie-rated.v2"}']
)
def test_event_data_that_breaks_its_contract_is_refused(data):
    with pytest.raises(msgspec.ValidationError):
        codec.from_wire(codec.to_wire(stored(data=data)))


def test_score_out_of_range_is_refused():
    _, eleven = codec.encode(MovieRated(user_id=ANN, movie_id=25, score=11))
    with pytest.raises(msgspec.ValidationError, match="score"):
        codec.decode("movie-rated.v1", eleven)
