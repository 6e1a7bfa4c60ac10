"""Time decay: heat by age, and the bound of one person's influence."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.catalogue import MovieAdded, MovieRated, RatingWithdrawn
from projectors.read_models.trending.decay import WINDOWS, Window, heat, heat_at, time_invariant
from projectors.read_models.trending.projection import heat_delta

ANN, ALIEN = UUID(int=1), 1
NOW = 500_000
DAY, WEEK = WINDOWS["day"], WINDOWS["week"]


def test_events_have_their_heat_delta():
    assert heat_delta(MovieRated(user_id=ANN, movie_id=ALIEN, score=3)) == (ALIEN, 1)
    assert heat_delta(MovieRated(user_id=ANN, movie_id=ALIEN, score=9, previous=3)) == (ALIEN, 0)
    assert heat_delta(RatingWithdrawn(user_id=ANN, movie_id=ALIEN, previous=9)) == (ALIEN, -1)
    assert heat_delta(MovieAdded(movie_id=ALIEN, title="Alien", year=1979)) is None


@pytest.mark.parametrize("window", WINDOWS.values())
def test_heat_halves_each_half_life(window):
    ages = [0, window.half_life_hours, 2 * window.half_life_hours]
    heats = [heat({NOW - int(age): 8}, hour=NOW, window=window) for age in ages]
    assert heats == [8.0, 4.0, 2.0]


@pytest.mark.parametrize("window", WINDOWS.values())
def test_ratings_outside_the_window_add_no_heat(window):
    edge = NOW - window.hours + 1
    assert heat({edge: 1000}, hour=NOW, window=window) > 0
    assert heat({edge - 1: 1000, NOW + 1: 1000}, hour=NOW, window=window) == 0


def test_heat_is_never_below_zero():
    assert heat({NOW - 10: 1, NOW: -1}, hour=NOW, window=DAY) == 0


@given(
    gaps=st.lists(st.integers(0, 30), min_size=1, max_size=12),
    wait=st.integers(0, 30),
    window=st.sampled_from(sorted(WINDOWS.values())),
)
def test_one_person_adds_at_most_one_degree(gaps, wait, window: Window):
    """Whatever one user rates, rates again and withdraws."""
    hour, score = 0, None
    ratings: dict[int, int] = {}
    for gap in gaps:
        hour += gap
        event = (
            MovieRated(user_id=ANN, movie_id=ALIEN, score=8, previous=score)
            if score is None or gap % 2
            else RatingWithdrawn(user_id=ANN, movie_id=ALIEN, previous=score)
        )
        score = None if isinstance(event, RatingWithdrawn) else 8
        delta = heat_delta(event)
        assert delta is not None
        ratings[hour] = ratings.get(hour, 0) + delta[1]
    assert 0 <= heat(ratings, hour=hour + wait, window=window) <= 1


@given(
    one=st.dictionaries(st.integers(NOW - 10, NOW), st.integers(1, 9), min_size=1),
    other=st.dictionaries(st.integers(NOW - 10, NOW), st.integers(1, 9), min_size=1),
    wait=st.integers(0, 13),
)
def test_decay_keeps_the_order(one, other, wait):
    def heats(hour):
        return [heat(ratings, hour=hour, window=DAY) for ratings in (one, other)]

    (a, b), (c, d) = heats(NOW), heats(NOW + wait)
    assert abs(a - b) < 1e-5 or abs(c - d) < 1e-5 or (a < b) == (c < d)


@given(degrees=st.floats(0.01, 1e6), wait=st.integers(0, 24))
def test_time_invariant_heat_decays_like_all_others(degrees, wait):
    stored_heat = time_invariant(degrees, hour=NOW, window=WEEK)
    faded = degrees * 2 ** (-wait / WEEK.half_life_hours)
    assert heat_at(stored_heat, hour=NOW + wait, window=WEEK) == pytest.approx(faded, rel=1e-9)
