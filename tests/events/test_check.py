"""Is every way in which a log can be broken found?"""

from itertools import count
from uuid import UUID

import msgspec
import pytest

from events.catalogue import MovieRated, RatingWithdrawn
from events.check import faults
from events.recorded import Origin, Stream
from events.store.memory import MemoryStore

ANN = UUID(int=1)
STREAM = Stream(f"rating-{ANN}-25", str(ANN))
EVENTS = (
    MovieRated(user_id=ANN, movie_id=25, score=7),
    RatingWithdrawn(user_id=ANN, movie_id=25, previous=7),
    MovieRated(user_id=ANN, movie_id=25, score=8),
)


class Breakable(MemoryStore):
    """A log whose rows can be reached."""

    @property
    def rows(self):
        return self._log[0]

    def change(self, nth, **changes):
        self.rows[nth] = msgspec.structs.replace(self.rows[nth], **changes)

    def page_stored(self, partition, *, after, limit):
        return [row for row in self.rows if row.offset > after][:limit]


class Promising(Breakable):
    """A log that says it has one more."""

    def heads(self):
        return [len(self.rows) + 1]


@pytest.fixture
def store():
    return filled(Breakable(1))


def filled(store):
    store.append(STREAM, EVENTS, expected=0, origin=Origin(correlation_id=UUID(int=7)))
    return store


def found(store):
    return list(faults(store, passed=lambda: None))


def test_a_whole_log_has_none(store):
    passed = count()
    assert list(faults(store, passed=lambda: next(passed))) == []
    assert next(passed) == 3


def test_an_event_is_missing(store):
    del store.rows[1]
    assert found(store) == [
        "0: after offset 1 comes 3",
        f"0:3 {STREAM.name}: version 3 comes after 1",
        "0: the last event is 3, the head says 2",
    ]


def test_a_version_is_twice(store):
    store.change(1, version=1)
    assert found(store)[0] == f"0:2 {STREAM.name}: version 1 comes after 1"


def test_the_head_promises_more():
    assert found(filled(Promising(1))) == ["0: the head says 4, the last event is 3"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ('{"type":"movie-rated.v1"}', "missing required field"),
        ('{"type":"movie-rated.v9"}', "Invalid value"),
        ("{", "truncated"),
        (EVENTS[0].__class__.__name__, "malformed"),
    ],
)
def test_an_event_that_cannot_be_read(store, data, reason):
    store.change(0, data=data)
    [fault] = found(store)
    assert fault.startswith(f"0:1 {STREAM.name}: can't be read: ")
    assert reason in fault


def test_an_event_that_is_kept_as_another(store):
    store.change(0, type="rating-withdrawn.v1")
    assert found(store) == [
        f"0:1 {STREAM.name}: is kept as rating-withdrawn.v1, says movie-rated.v1"
    ]
