"""Library: ratings of each user, their order and packing."""

from datetime import timedelta
from uuid import UUID

import pytest

from events.catalogue import MovieRated, RatingWithdrawn
from projectors.read_models.library.projection import UserRating
from projectors.read_models.library.read_model import Library
from tests.fixtures import model_access
from tests.fixtures.recording import NOON

ANN, BOB = UUID(int=1), UUID(int=2)
ALIEN, HEAT, TRON = 1, 2, 3
HOUR = timedelta(hours=1)


def rated(user, movie, score, previous=None):
    return MovieRated(user_id=user, movie_id=movie, score=score, previous=previous)


@pytest.fixture
def library(redis):
    return Library(redis, 1)


def test_ratings_sort_by_time_or_score(library, recording):
    for hours, (movie, score) in enumerate([(ALIEN, 9), (HEAT, 5), (TRON, 9)]):
        model_access.apply(
            library, [recording.record(rated(ANN, movie, score), at=NOON + hours * HOUR)]
        )
    model_access.apply(library, [recording.record(rated(BOB, ALIEN, 1))])
    newest = [
        UserRating(TRON, 9, NOON + 2 * HOUR),
        UserRating(HEAT, 5, NOON + HOUR),
        UserRating(ALIEN, 9, NOON),
    ]
    assert model_access.ratings(library, ANN) == newest
    assert [rating.movie for rating in model_access.ratings(library, ANN, "score")] == [
        TRON,
        ALIEN,
        HEAT,
    ]


def test_new_score_replaces_old_rating(library, recording):
    model_access.apply(
        library, [recording.record(rated(ANN, ALIEN, 9)), recording.record(rated(ANN, ALIEN, 4, 9))]
    )
    assert [rating.score for rating in model_access.ratings(library, ANN)] == [4]


def test_rating_withdrawn_in_same_batch_is_removed(library, recording):
    withdrawn = RatingWithdrawn(user_id=ANN, movie_id=ALIEN, previous=9)
    batch = [recording.record(rated(ANN, ALIEN, 9)), recording.record(rated(ANN, HEAT, 8))]
    model_access.apply(library, [*batch, recording.record(withdrawn)])
    assert [rating.movie for rating in model_access.ratings(library, ANN)] == [HEAT]


def test_batch_of_thousands_of_ratings_is_applied(library, recording):
    model_access.apply(library, [recording.record(rated(ANN, movie, 7)) for movie in range(5000)])
    assert len(model_access.ratings(library, ANN)) == 5000


def test_user_without_ratings_gets_empty_list(library):
    assert model_access.ratings(library, ANN) == []


def test_rating_time_keeps_milliseconds(library, recording):
    at = NOON + timedelta(milliseconds=123)
    model_access.apply(library, [recording.record(rated(ANN, ALIEN, 10), at=at)])
    assert model_access.ratings(library, ANN) == [UserRating(ALIEN, 10, at)]
