"""Integrity check: every kind of damage to a log is found."""

import re
import tracemalloc
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from django.db import connection

from events import codec
from events.catalogue import MovieRated, RatingWithdrawn
from events.integrity import find_faults
from events.recorded import Origin, Stored, Stream, partition_of
from events.store.postgres import PostgresStore
from events.store.restore import RestorableStore
from infra.config import config

ANN = UUID(int=1)
P = partition_of(str(ANN), config().partitions)
STREAM = Stream(f"rating-{ANN}-25", str(ANN))
NAME = STREAM.name
ORIGIN = Origin(correlation_id=UUID(int=7))
EVENTS = (
    MovieRated(user_id=ANN, movie_id=25, score=7),
    RatingWithdrawn(user_id=ANN, movie_id=25, previous=7),
    MovieRated(user_id=ANN, movie_id=25, score=8),
)


@pytest.fixture
def _log(db):
    store = PostgresStore(config().partitions)
    store.append(STREAM, EVENTS, expected=0, origin=ORIGIN)


def found_faults():
    return list(find_faults(partitions=config().partitions, on_progress=lambda *_: None))


def change(sql, *parameters):
    """Change the log without its constraints; rolled back with the test."""
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE events DROP CONSTRAINT IF EXISTS events_partition_stream_version_key"
        )
        cursor.execute(sql, parameters)


@pytest.mark.usefixtures("_log")
def test_intact_log_has_no_faults():
    progress = []
    faults = find_faults(
        partitions=config().partitions,
        on_progress=lambda *each: progress.append(each),
    )
    assert list(faults) == []
    assert progress == [(P, 3)]


@pytest.mark.usefixtures("_log")
def test_missing_event_is_reported():
    change("DELETE FROM events WHERE version = 2")
    assert found_faults() == [
        f"{P}: after offset 1 comes 3",
        f"{P}:3 {NAME}: version 3 comes after 1",
    ]


@pytest.mark.usefixtures("_log")
def test_gap_of_any_size_is_reported():
    change('UPDATE events SET "offset" = 4000000000000 WHERE version = 3')
    change("UPDATE partitions SET head = 4000000000000 WHERE head = 3")
    assert found_faults() == [f"{P}: after offset 2 comes 4000000000000"]


@pytest.mark.usefixtures("_log")
def test_duplicate_version_is_reported():
    change("UPDATE events SET version = 1 WHERE version = 2")
    assert found_faults() == [
        f"{P}:2 {NAME}: version 1 comes after 1",
        f"{P}:3 {NAME}: version 3 comes after 1",
    ]


@pytest.mark.usefixtures("_log")
def test_versions_out_of_order_are_reported():
    change("UPDATE events SET version = 4 - version")
    assert found_faults() == [
        f"{P}:1 {NAME}: version 3 comes after 0",
        f"{P}:2 {NAME}: version 2 comes after 3",
        f"{P}:3 {NAME}: version 1 comes after 2",
    ]


@pytest.mark.usefixtures("_log")
@pytest.mark.parametrize("head", [2, 4])
def test_head_that_differs_from_the_last_offset_is_reported(head):
    change("UPDATE partitions SET head = %s WHERE head = 3", head)
    assert found_faults() == [f"{P}: the head is {head}, but the last event is 3"]


@pytest.mark.usefixtures("_log")
def test_missing_partition_is_reported():
    change("DELETE FROM partitions WHERE partition = %s", P)
    assert found_faults() == [
        "the log has 63 partitions, the configuration 64",
        f"{P}: there are events, but the log has no such partition",
    ]


@pytest.mark.usefixtures("_log")
@pytest.mark.parametrize(
    ("type_", "data", "reason"),
    [
        ("movie-rated.v1", '{"type":"movie-rated.v1"}', "can't be read: .*missing required field"),
        ("movie-rated.v9", '{"type":"movie-rated.v9"}', "can't be read: Invalid value"),
        ("movie-rated.v1", "[]", "can't be read: Expected `object`"),
        (
            "rating-withdrawn.v1",
            codec.encode(EVENTS[0])[1],
            "is stored as .*, but its tag is movie-rated.v1",
        ),
    ],
)
def test_unreadable_event_is_reported(type_, data, reason):
    change("UPDATE events SET type = %s, data = %s::json WHERE version = 1", type_, data)
    [fault] = found_faults()
    position, _, message = fault.partition(f" {type_}: ")
    assert position == f"{P}:1 {NAME}@1"
    assert re.match(reason, message)


@pytest.mark.slow
def test_memory_use_does_not_grow_with_the_log(db):
    def peak():
        tracemalloc.start()
        assert found_faults() == []
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    fill(first=1, count=10_000)
    short = peak()
    fill(first=10_001, count=40_000)
    assert peak() < 2 * short


def fill(*, first, count):
    """Insert events, each in its own stream."""
    event = Stored(
        partition=0,
        offset=1,
        stream="",
        version=1,
        type="movie-rated.v1",
        data=codec.encode(EVENTS[0])[1],
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
        correlation_id=ORIGIN.correlation_id,
    )
    RestorableStore(config().partitions).restore(
        [
            msgspec.structs.replace(event, offset=offset, stream=f"rating-{ANN}-{offset}")
            for offset in range(first, first + count)
        ]
    )
