"""Library: ratings of each user, their order and packing."""

from datetime import timedelta
from uuid import UUID

import pytest

from events.catalogue import MovieRated, RatingWithdrawn
from projectors.read_models.library.projection import UserRating, pack_rating, unpack_rating
from projectors.read_models.library.read_model import Library
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
        library.apply([recording.say(rated(ANN, movie, score), at=NOON + hours * HOUR)])
    library.apply([recording.say(rated(BOB, ALIEN, 1))])
    newest = [
        UserRating(TRON, 9, NOON + 2 * HOUR),
        UserRating(HEAT, 5, NOON + HOUR),
        UserRating(ALIEN, 9, NOON),
    ]
    assert library.ratings(ANN) == newest
    assert [rating.movie for rating in library.ratings(ANN, "score")] == [TRON, ALIEN, HEAT]
    assert library.rating(ANN, HEAT) == UserRating(HEAT, 5, NOON + HOUR)


def test_new_score_replaces_old_rating(library, recording):
    library.apply([recording.say(rated(ANN, ALIEN, 9)), recording.say(rated(ANN, ALIEN, 4, 9))])
    assert [rating.score for rating in library.ratings(ANN)] == [4]


def test_rating_withdrawn_in_same_batch_is_gone(library, recording):
    withdrawn = RatingWithdrawn(user_id=ANN, movie_id=ALIEN, previous=9)
    batch = [recording.say(rated(ANN, ALIEN, 9)), recording.say(rated(ANN, HEAT, 8))]
    library.apply([*batch, recording.say(withdrawn)])
    assert [rating.movie for rating in library.ratings(ANN)] == [HEAT]
    assert library.rating(ANN, ALIEN) is None


def test_batch_of_thousands_of_ratings_is_applied(library, recording):
    library.apply([recording.say(rated(ANN, movie, 7)) for movie in range(5000)])
    assert len(library.ratings(ANN)) == 5000


def test_user_without_ratings_gets_empty_list(library):
    assert library.ratings(ANN) == []


def test_rating_time_keeps_milliseconds():
    at = NOON + timedelta(milliseconds=123)
    assert unpack_rating(ALIEN, pack_rating(10, at).encode()) == UserRating(ALIEN, 10, at)
