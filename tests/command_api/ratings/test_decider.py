"""Rules for rating a movie and withdrawing a rating."""

from collections import Counter
from functools import reduce
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from command_api.ratings.decider import RateMovie, RatingState, WithdrawRating, decide, evolve
from events.catalogue import MovieRated, RatingWithdrawn
from infra.errors import Invalid, NotFound

ANN = UUID(int=1)
ALIEN = 7


def rated(score, previous=None):
    return MovieRated(user_id=ANN, movie_id=ALIEN, score=score, previous=previous)


def withdrawn(previous):
    return RatingWithdrawn(user_id=ANN, movie_id=ALIEN, previous=previous)


def given(*events):
    return reduce(evolve, events, RatingState())


def test_first_rating_leads_to_an_event_without_previous_score():
    assert decide(RateMovie(ANN, ALIEN, 9), given()) == (rated(9),)


def test_changed_rating_carries_the_previous_score():
    assert decide(RateMovie(ANN, ALIEN, 9), given(rated(6))) == (rated(9, previous=6),)


def test_same_rating_again_leads_to_no_event():
    assert decide(RateMovie(ANN, ALIEN, 6), given(rated(6))) == ()


def test_rating_after_a_withdrawal_has_no_previous_score():
    assert decide(RateMovie(ANN, ALIEN, 6), given(rated(6), withdrawn(6))) == (rated(6),)


def test_withdrawal_carries_the_withdrawn_score():
    history = given(rated(6), rated(8, previous=6))
    assert decide(WithdrawRating(ANN, ALIEN), history) == (withdrawn(8),)


def test_withdrawal_without_a_rating_is_refused():
    with pytest.raises(NotFound):
        decide(WithdrawRating(ANN, ALIEN), given(rated(6), withdrawn(6)))


@pytest.mark.parametrize("score", [0, 11, -1])
def test_rating_outside_the_scale_is_refused(score):
    with pytest.raises(Invalid) as refusal:
        decide(RateMovie(ANN, ALIEN, score), given())
    assert [error.field for error in refusal.value.errors] == ["score"]


commands = st.lists(
    st.one_of(
        st.builds(RateMovie, st.just(ANN), st.just(ALIEN), st.integers(-1, 12)),
        st.just(WithdrawRating(ANN, ALIEN)),
    ),
    max_size=30,
)


@for_all(commands)
def test_rating_events_always_carry_the_score_before(commands):
    """A projector can correct a sum by ``previous`` alone."""
    state, before = RatingState(), None
    for command in commands:
        try:
            events = decide(command, state)
        except (Invalid, NotFound):
            continue
        for event in events:
            assert event.previous == before
            before = event.score if isinstance(event, MovieRated) else None
            assert before != event.previous
            assert before is None or 1 <= before <= 10
            state = evolve(state, event)
        assert state.score == before


opinions = st.lists(
    st.tuples(st.integers(1, 4), st.none() | st.integers(1, 10)),
    max_size=60,
)


@for_all(opinions)
def test_rating_events_always_add_up_to_sum_and_histogram(user_scores):
    """Sums of one movie, updated by each event alone, as read models do."""
    ratings: dict[int, RatingState] = {}
    total, histogram = 0, Counter[int]()
    for user, score in user_scores:
        user_id = UUID(int=user)
        command = (
            WithdrawRating(user_id, ALIEN) if score is None else RateMovie(user_id, ALIEN, score)
        )
        before = ratings.get(user, RatingState())
        if score is None and before.score is None:
            continue
        for event in decide(command, before):
            now = event.score if isinstance(event, MovieRated) else None
            total += (now or 0) - (event.previous or 0)
            histogram.update({now: 1} if now else {})
            histogram.subtract({event.previous: 1} if event.previous else {})
            ratings[user] = evolve(before, event)
        scores = [it.score for it in ratings.values() if it.score is not None]
        assert total == sum(scores) == sum(at * count for at, count in histogram.items())
        assert +histogram == Counter(scores)
        assert min(histogram.values(), default=0) >= 0
