"""Movie look-up: existence, availability and caching."""

import pytest

from command_api.catalogue import movie_lookup
from command_api.catalogue.availability import AVAILABLE, Availability
from command_api.catalogue.decider import AddMovie, MovieFacts, RestoreMovie, WithdrawMovie
from command_api.catalogue.movie_lookup import availabilities_of, availability_of, is_known
from infra.errors import NotFound


def test_movie_is_known_as_soon_as_it_is_added(tell):
    assert not is_known(1)
    tell(AddMovie(1, MovieFacts(title="Heat", year=1995)))
    assert is_known(1)


def test_known_movies_are_cached(tell, django_assert_num_queries):
    tell(AddMovie(1, MovieFacts(title="Heat", year=1995)))
    assert is_known(1)
    with django_assert_num_queries(0):
        assert is_known(1)


def test_movie_id_out_of_range_is_unknown(store):
    assert not is_known(2**70)
    assert not is_known(-1)


@pytest.fixture
def patient(monkeypatch):
    """Withdrawn movies stay cached, however long the test takes."""
    monkeypatch.setattr(movie_lookup, "FRESH_SECONDS", 3600.0)


@pytest.fixture
def impatient(monkeypatch):
    """Withdrawn movies are read each time."""
    monkeypatch.setattr(movie_lookup, "FRESH_SECONDS", 0.0)


@pytest.mark.usefixtures("impatient")
def test_availability_follows_withdrawal_and_restoration(tell):
    tell(
        AddMovie(1, MovieFacts(title="Heat", year=1995)),
        AddMovie(2, MovieFacts(title="Ali", year=2001)),
    )
    assert availability_of(1) == AVAILABLE
    tell(WithdrawMovie(1, "a double"))
    assert (availability_of(1), availability_of(2)) == (Availability(is_withdrawn=True), AVAILABLE)
    assert availabilities_of([1, 2, 3, -1, 2**70]) == {
        1: Availability(is_withdrawn=True),
        2: AVAILABLE,
    }
    tell(RestoreMovie(1))
    assert availability_of(1) == AVAILABLE


@pytest.mark.usefixtures("patient")
def test_availability_is_cached_for_a_second(tell, django_assert_num_queries):
    tell(AddMovie(1, MovieFacts(title="Heat", year=1995)))
    assert availability_of(1) == AVAILABLE
    tell(WithdrawMovie(1, "a double"))
    with django_assert_num_queries(0):
        assert availability_of(1) == AVAILABLE
    movie_lookup.clear_cache()
    assert availability_of(1) == Availability(is_withdrawn=True)


@pytest.mark.parametrize("movie_id", [1, 2**70])
def test_availability_of_a_missing_movie_is_not_found(store, movie_id):
    with pytest.raises(NotFound):
        availability_of(movie_id)
