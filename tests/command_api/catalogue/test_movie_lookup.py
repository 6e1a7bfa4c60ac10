"""Movie look-up: existence, withdrawal and caching."""

import pytest

from command_api.catalogue import movie_lookup
from command_api.catalogue.decider import AddMovie, MovieFacts, RestoreMovie, WithdrawMovie
from command_api.catalogue.movie_lookup import find_movies, is_withdrawn
from infra.errors import NotFound


def test_movie_is_known_as_soon_as_it_is_added(handle_commands):
    with pytest.raises(NotFound):
        is_withdrawn(1)
    handle_commands(AddMovie(1, MovieFacts(title="Heat", year=1995)))
    assert not is_withdrawn(1)


@pytest.mark.usefixtures("patient")
def test_known_movies_are_cached(handle_commands, django_assert_num_queries):
    handle_commands(AddMovie(1, MovieFacts(title="Heat", year=1995)))
    assert not is_withdrawn(1)
    with django_assert_num_queries(0):
        assert not is_withdrawn(1)


@pytest.fixture
def patient(monkeypatch):
    """Withdrawn movies stay cached, however long the test takes."""
    monkeypatch.setattr(movie_lookup, "FRESH_SECONDS", 3600.0)


@pytest.fixture
def impatient(monkeypatch):
    """Withdrawn movies are read each time."""
    monkeypatch.setattr(movie_lookup, "FRESH_SECONDS", 0.0)


@pytest.mark.usefixtures("impatient")
def test_look_up_follows_withdrawal_and_restoration(handle_commands):
    handle_commands(
        AddMovie(1, MovieFacts(title="Heat", year=1995)),
        AddMovie(2, MovieFacts(title="Ali", year=2001)),
    )
    assert not is_withdrawn(1)
    handle_commands(WithdrawMovie(1, "a double"))
    assert (is_withdrawn(1), is_withdrawn(2)) == (True, False)
    assert find_movies([1, 2, 3, -1, 2**70]) == {1: True, 2: False}
    handle_commands(RestoreMovie(1))
    assert not is_withdrawn(1)


@pytest.mark.usefixtures("patient")
def test_withdrawal_is_cached_for_a_second(handle_commands, django_assert_num_queries):
    handle_commands(AddMovie(1, MovieFacts(title="Heat", year=1995)))
    assert not is_withdrawn(1)
    handle_commands(WithdrawMovie(1, "a double"))
    with django_assert_num_queries(0):
        assert not is_withdrawn(1)
    movie_lookup.clear_cache()
    assert is_withdrawn(1)


@pytest.mark.parametrize("movie_id", [1, -1, 2**70])
def test_missing_movie_is_not_found(store, movie_id):
    with pytest.raises(NotFound):
        is_withdrawn(movie_id)
