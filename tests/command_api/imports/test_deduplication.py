"""Deduplication of ratings: only what the log does not say yet is planned."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_api.imports.data_sets import FIRST
from command_api.imports.deduplication import (
    StreamProgress,
    plan,
    progress_after,
    unknown_streams,
)
from command_api.imports.ratings_sort import TimedRating
from command_api.ratings.decider import RateMovie, WithdrawRating, rating
from events.catalogue import MovieRated, RatingWithdrawn
from events.recorded import Origin
from events.store import AppendEntry
from tests.fixtures.memory_store import MemoryStore

ANN = FIRST.user_id(1)
START = datetime(1997, 9, 20, tzinfo=UTC)


def rated(*scores, movie=7):
    return [
        TimedRating(RateMovie(ANN, movie, score), START + timedelta(hours=n))
        for n, score in enumerate(scores)
    ]


def timed(*scores_and_hours):
    return [
        TimedRating(RateMovie(ANN, 7, score), START + timedelta(hours=hour))
        for score, hour in scores_and_hours
    ]


def empty_log(batch):
    return {stream.name: StreamProgress() for stream in unknown_streams(batch, {})}


def log_after(*imports):
    """The stream's events after these imports, one after the other."""
    store = MemoryStore(1)
    for batch in imports:
        entries = plan(batch, progress(store, batch)).entries
        store.append_many(entries, origin=Origin(correlation_id=ANN))
    return store


def progress(store, batch):
    histories = store.read_many(unknown_streams(batch, {}))
    return {
        stream.name: progress_after(histories.get(stream.name, ()))
        for stream in unknown_streams(batch, {})
    }


def planned_after(*imports):
    """The scores that the last import appends after the others, and its counts."""
    *earlier, last = imports
    planned = plan(last, progress(log_after(*earlier), last))
    appended = [
        (version, event.score)
        for _, version, event, _ in planned.entries
        if isinstance(event, MovieRated)
    ]
    assert len(appended) == len(planned.entries)
    return appended, planned[1:]


def test_later_rating_replaces_the_earlier_one():
    batch = rated(6, 9)
    planned = plan(batch, empty_log(batch))
    assert [(entry.version, entry.event, entry.occurred_at) for entry in planned.entries] == [
        (1, MovieRated(user_id=ANN, movie_id=7, score=6), START),
        (2, MovieRated(user_id=ANN, movie_id=7, score=9, previous=6), START + timedelta(hours=1)),
    ]
    assert planned[1:] == (1, 1, 0, 0)


def test_repeated_score_is_already_there_and_no_event():
    batch = rated(6, 6)
    planned = plan(batch, empty_log(batch))
    assert len(planned.entries) == 1
    assert planned[1:] == (1, 0, 1, 0)


def test_stream_is_read_once():
    batch = rated(6, 9)
    assert len(unknown_streams(batch, {})) == 1
    assert unknown_streams(batch, empty_log(batch)) == []


@pytest.mark.parametrize(
    ("in_log", "in_file", "appended", "counts"),
    [
        ([(10, 0)], [(2, 5)], [(2, 2)], (0, 1, 0, 0)),  # rated again later
        ([(10, 0)], [(10, 0), (2, 5)], [(2, 2)], (0, 1, 1, 0)),  # with its history
        ([(10, 0)], [(2, 0)], [(2, 2)], (0, 1, 0, 0)),  # corrected
        ([(10, 0)], [(10, 5)], [], (0, 0, 1, 0)),  # the same score again
        ([(10, 0), (2, 5)], [(10, 0)], [], (0, 0, 1, 0)),  # an older export
        ([(10, 0), (2, 5)], [(2, 5)], [], (0, 0, 1, 0)),
        ([(10, 0), (2, 5)], [(10, 9)], [(3, 10)], (0, 1, 0, 0)),  # back to the first score
        ([(10, 0), (2, 5)], [(10, 3)], [], (0, 0, 1, 0)),  # the score that was in force then
        ([(10, 0), (2, 5)], [(4, 3)], [], (0, 0, 0, 1)),  # too old to come in between
        ([(2, 5)], [(10, 0)], [], (0, 0, 0, 1)),  # before the first
        ([(10, 0), (2, 0)], [(2, 0), (10, 0)], [], (0, 0, 2, 0)),  # in another order
        ([(10, 0), (10, 1), (2, 2)], [(10, 0), (10, 1), (2, 2)], [], (0, 0, 3, 0)),
    ],
)
def test_ratings_are_compared_with_the_log_by_score_and_time(in_log, in_file, appended, counts):
    assert planned_after(timed(*in_log), timed(*in_file)) == (appended, counts)


def test_withdrawn_rating_is_imported_again():
    store = log_after(rated(6, 9))
    [stream] = unknown_streams(rated(6), {})
    withdrawn = rating.decide(WithdrawRating(ANN, 7), rating.state(store.read(stream)))
    assert withdrawn == (RatingWithdrawn(user_id=ANN, movie_id=7, previous=9),)
    store.append(stream, withdrawn, expected=2, origin=Origin(correlation_id=ANN))
    planned = plan(rated(6, 9), progress(store, rated(6, 9)))
    assert [(entry.version, entry.event) for entry in planned.entries] == [
        (4, MovieRated(user_id=ANN, movie_id=7, score=6)),
        (5, MovieRated(user_id=ANN, movie_id=7, score=9, previous=6)),
    ]
    assert planned[1:] == (1, 1, 0, 0)


histories = st.lists(
    st.tuples(st.integers(1, 10), st.integers(0, 20)),
    min_size=1,
    max_size=8,
    unique_by=lambda it: it[1],
).map(lambda scores: timed(*sorted(scores, key=lambda it: it[1])))


@given(imports=st.lists(histories, min_size=1, max_size=4))
def test_repeated_import_changes_nothing(imports):
    assert planned_after(*imports, imports[-1])[0] == []


@given(history=histories, seen=st.integers(1, 8))
def test_newer_export_ends_with_its_last_score(history, seen):
    older, last = history[:seen], history[-1:]
    store = log_after(older, last)
    [stream] = unknown_streams(last, {})
    assert rating.state(store.read(stream)).score == last[0].command.score


@given(
    scores=st.lists(st.integers(1, 10), min_size=1, max_size=8),
    stopped_after=st.integers(0, 8),
    size=st.integers(1, 8),
)
def test_import_stopped_anywhere_resumes_with_the_missing_events(scores, stopped_after, size):
    batch = rated(*scores)
    entries = plan(batch, empty_log(batch)).entries
    in_log = min(stopped_after, len(entries))
    store = MemoryStore(1)
    store.append_many(entries[:in_log], origin=Origin(correlation_id=ANN))
    logged = progress(store, batch)
    rest: list[AppendEntry] = []
    counted = 0
    for start in range(0, len(batch), size):
        planned = plan(batch[start : start + size], logged)
        rest += planned.entries
        counted += sum(planned[1:])
    assert rest == list(entries[in_log:])
    assert counted == len(batch)
