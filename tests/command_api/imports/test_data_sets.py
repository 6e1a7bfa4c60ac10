"""Data sets: names, user ids, and the resemblance of ratings to those in the log."""

from uuid import UUID

import pytest

from command_api.imports import data_sets
from command_api.imports.data_set_recognition import FilmNumbering, continues
from command_api.imports.data_sets import FIRST, DataSet
from command_api.imports.movielens_reader import SourceRating
from command_api.imports.resemblance import Resemblance, UserPair, compare
from command_api.imports.user_sample import UserSample


def test_users_of_the_first_data_set_keep_the_ids_that_logs_hold():
    assert FIRST.user_id(1) == UUID("9814de0b-9a77-5539-94a7-e912beed4548")
    assert FIRST.source == "movielens"


def test_users_of_different_data_sets_are_different_people():
    names = ["movielens", "ml-100k", "ml-1m", "1", "movielens.1"]
    ids = {DataSet(name).user_id(number) for name in names for number in (1, 11, 111)}
    assert len(ids) == 3 * len(names)


@pytest.mark.parametrize("name", ["movielens", "ml-1m", "0f3c9a1b2d4e", "my_films.2024", "x" * 30])
def test_data_set_is_known_by_the_source_of_its_film_numbers(name):
    data_set = data_sets.named(name)
    assert data_sets.of_source(data_set.source) == data_set
    assert len(data_set.source) <= 40  # characters of the column


@pytest.mark.parametrize(
    "name", ["", "ML-1M", "-1m", "ml 1m", "movielens:ml-1m", "ml/1m", "é", "x" * 31, "ml\n"]
)
def test_unusable_name_of_a_data_set_is_refused(name):
    with pytest.raises(ValueError, match="no name of a data set"):
        data_sets.named(name)


def pair(in_file, in_log):
    """A user's ratings: score and time by movie."""
    return UserPair(*({movie: [it] for movie, it in side.items()} for side in (in_file, in_log)))


LOGGED = {1: (10, 100), 2: (4, 200), 3: (7, 300), 4: (7, 400)}


@pytest.mark.parametrize(
    "in_file",
    [
        LOGGED,
        LOGGED | {5: (1, 900), 6: (2, 901), 7: (3, 902), 8: (3, 903), 9: (3, 904)},  # newer
        {2: (4, 200)},  # older
        LOGGED | {1: (2, 900), 2: (2, 901)},  # half of them rated again
        {1: (10, 100), 2: (4, 200), 8: (1, 900)},  # some removed, one added
    ],
)
def test_users_with_the_same_ratings_are_the_same(in_file):
    assert compare([pair(in_file, LOGGED)], ()).is_same


@pytest.mark.parametrize(
    "in_file",
    [
        {movie: (score, at + 1) for movie, (score, at) in LOGGED.items()},  # at other times
        {movie: (11 - score, at) for movie, (score, at) in LOGGED.items()},
        {5: (10, 100), 6: (4, 200)},  # of other films
        {1: (10, 100), 2: (1, 900), 3: (1, 900)},  # one by chance
    ],
)
def test_users_with_other_ratings_are_others(in_file):
    resemblance = compare([pair(in_file, LOGGED)], ())
    assert resemblance.known == 1
    assert not resemblance.is_same


def test_users_whom_the_log_lacks_do_not_count():
    pairs = [pair(LOGGED, LOGGED), *(pair({1: (1, 1)}, {}) for _ in range(9))]
    assert compare(pairs, ())[:3] == (1, 4, 4)


def test_shift_of_an_earlier_import_is_taken_off():
    shifted = {movie: (score, at + 5000) for movie, (score, at) in LOGGED.items()}
    resemblance = compare([pair(LOGGED, shifted)], {77, 5000})
    assert (resemblance.is_same, resemblance.known_shift) == (True, 5000)


def test_unknown_shift_is_recognised_by_many_ratings():
    """A moved platform does not know how its times were shifted."""
    many = {movie: (1 + movie % 10, movie * 977) for movie in range(1, 41)}
    shifted = {movie: (score, at + 5000) for movie, (score, at) in many.items()}
    assert compare([pair(many, shifted)], ()).known_shift == 5000
    few = {movie: many[movie] for movie in range(1, 19)}
    assert compare([pair(few, shifted)], ()).known_shift is None
    at_one_time = dict.fromkeys(many, (5, 977))
    later = dict.fromkeys(many, (5, 5977))
    assert compare([pair(at_one_time, later)], ()).known_shift is None


@pytest.mark.parametrize(
    ("same", "others", "is_same"), [(0, 0, False), (1, 0, True), (3, 1, True), (5, 2, False)]
)
def test_three_of_four_films_make_the_same_numbering(same, others, is_same):
    numbering = FilmNumbering(
        films=9, movies=dict.fromkeys(range(same), 5), others=dict.fromkeys(range(others), 6)
    )
    assert numbering.is_same == is_same


@pytest.mark.parametrize(
    ("known", "possible", "equal", "is_superseded", "films", "is_continued"),
    [
        (9, 90, 60, False, 3, True),
        (0, 0, 0, True, 3, True),  # no user rated yet: an import was stopped, or a part was missing
        (9, 90, 5, False, 2, False),
        (1, 1, 0, True, 2, True),  # all of few ratings were changed later
        (1, 1, 0, True, 3, False),  # the data set has a film that the files lack
        (1, 1, 0, False, 2, False),
    ],
)
def test_files_continue_a_data_set_of_the_same_people(
    known, possible, equal, is_superseded, films, is_continued
):
    numbering = FilmNumbering(films=films, movies={1: 5, 2: 6})
    resemblance = Resemblance(known, possible, equal, 0, is_superseded)
    assert continues(numbering, resemblance) == is_continued


def rated(user, film, at):
    return SourceRating(at, user=user, film=film, score=5, at=at, read_bytes=0)


def sampled(ratings, in_log, size):
    sample = UserSample({1: 10, 2: 20}, lambda user: in_log.get(user, {}), size)
    for each in ratings:
        sample.add(each)
    return list(sample.pairs)


def test_sample_has_all_ratings_of_its_users():
    ratings = [rated(number * 7 % 50, film=1 + number % 3, at=number) for number in range(500)]
    in_log = {user: {10: [(1, user)]} for user in range(50)}
    sample = sampled(ratings, in_log, size=8)
    assert len(sample) == 8
    for in_file, logged in sample:
        [(_, user)] = logged[10]
        of_user = [it for it in ratings if it.user == user]
        assert in_file == {
            movie: [(5, it.at) for it in of_user if it.film == film]
            for film, movie in ((1, 10), (2, 20))
        }
    again = sampled(reversed(ratings), in_log, size=8)
    assert sorted(str(pair.in_log) for pair in again) == sorted(str(it.in_log) for it in sample)
    assert len(sampled(ratings, in_log, size=90)) == 50
    assert sampled([], in_log, size=8) == []


@pytest.mark.parametrize("known", [[7], [1999], [3, 1500], []])
def test_sample_finds_the_few_users_of_the_log_among_many(known):
    ratings = [rated(user, film=1, at=user) for user in range(2000)]
    in_log = {user: {10: [(1, user)]} for user in known}
    assert sampled(ratings, in_log, size=2) == [
        UserPair({10: [(5, user)]}, in_log[user]) for user in known
    ]


def test_user_is_looked_up_once():
    asked = []

    def in_log(user):
        asked.append(user)
        return {}

    sample = UserSample({1: 10}, in_log, size=2)
    for user in (4, 4, 5, 4, 5):
        sample.add(rated(user, film=1, at=user))
    assert asked == [4, 5]
