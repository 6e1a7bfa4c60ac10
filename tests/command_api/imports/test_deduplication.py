"""Deduplication of ratings: only events that the log lacks are planned."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from command_api.imports.deduplication import StreamProgress, plan, unknown_streams
from command_api.imports.ratings_sort import TimedRating, user_id
from command_api.ratings.decider import RateMovie
from events.catalogue import MovieRated
from events.store import AppendEntry

ANN = user_id(1)
START = datetime(1997, 9, 20, tzinfo=UTC)


def rated(*scores, movie=7):
    return [
        TimedRating(RateMovie(ANN, movie, score), START + timedelta(hours=n))
        for n, score in enumerate(scores)
    ]


def progress_in_log(batch, *, in_log=0):
    return {stream.name: StreamProgress(in_log) for stream in unknown_streams(batch, {})}


def test_later_rating_replaces_the_earlier_one():
    batch = rated(6, 9)
    planned = plan(batch, progress_in_log(batch))
    assert [(entry.version, entry.event, entry.occurred_at) for entry in planned.entries] == [
        (1, MovieRated(user_id=ANN, movie_id=7, score=6), START),
        (2, MovieRated(user_id=ANN, movie_id=7, score=9, previous=6), START + timedelta(hours=1)),
    ]
    assert planned[1:] == (1, 1, 0)


def test_repeated_score_is_counted_but_no_event():
    batch = rated(6, 6)
    planned = plan(batch, progress_in_log(batch))
    assert len(planned.entries) == 1
    assert planned[1:] == (1, 1, 0)


def test_stream_length_is_read_once():
    batch = rated(6, 9)
    assert len(unknown_streams(batch, {})) == 1
    assert unknown_streams(batch, progress_in_log(batch)) == []


@given(
    scores=st.lists(st.integers(1, 10), min_size=1, max_size=8),
    stopped_after=st.integers(0, 8),
    size=st.integers(1, 8),
)
def test_import_stopped_anywhere_resumes_with_the_missing_events(scores, stopped_after, size):
    batch = rated(*scores)
    entries = plan(batch, progress_in_log(batch)).entries
    in_log = min(stopped_after, len(entries))
    logged = progress_in_log(batch, in_log=in_log)
    rest: list[AppendEntry] = []
    counted = 0
    for start in range(0, len(batch), size):
        planned = plan(batch[start : start + size], logged)
        rest += planned.entries
        counted += sum(planned[1:])
    assert rest == list(entries[in_log:])
    assert counted == len(batch)
