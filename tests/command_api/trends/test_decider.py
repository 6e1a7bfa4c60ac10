"""Decider of trending boards: which observations become events."""

from datetime import UTC, datetime, timedelta

import pytest

from command_api.trends.decider import REPEATED_AFTER, BoardState, ObserveTrend, decide, stream_of
from events.catalogue import TrendObserved
from events.recorded import Stream

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOON, LATE = NOON + timedelta(minutes=15), NOON + REPEATED_AFTER
CURRENT = BoardState((1, 2), NOON)


def observe(*movies, at=SOON):
    return ObserveTrend(board="tmdb-day", source="tmdb", window="day", movies=movies, at=at)


def observed(*movies):
    return (TrendObserved(board="tmdb-day", source="tmdb", window="day", movies=movies),)


@pytest.mark.parametrize(
    ("command", "board", "events"),
    [
        (observe(1, 2), BoardState(), observed(1, 2)),
        (observe(2, 1), CURRENT, observed(2, 1)),
        (observe(1, 2), CURRENT, ()),
        (observe(1, 2, at=LATE), CURRENT, observed(1, 2)),
        (observe(), CURRENT, ()),
        (observe(2, 1, at=NOON), CURRENT, ()),
    ],
    ids=["the first", "another order", "the same", "the same, late", "nothing", "an older look"],
)
def test_trend_is_observed_if_changed_or_an_hour_passed(command, board, events):
    assert decide(command, board) == events


def test_observations_of_a_day_are_one_stream():
    assert stream_of("tmdb-day", NOON) == Stream("trend-tmdb-day-2026-03-01", "tmdb-day")
