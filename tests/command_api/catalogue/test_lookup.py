"""Is there such a movie?"""

from command_api.catalogue.decider import AddMovie, Facts
from command_api.catalogue.lookup import is_known


def test_a_movie_is_known_as_soon_as_it_is_there(tell):
    assert not is_known(1)
    tell(AddMovie(1, Facts(title="Heat", year=1995)))
    assert is_known(1)


def test_yes_is_remembered(tell, django_assert_num_queries):
    tell(AddMovie(1, Facts(title="Heat", year=1995)))
    assert is_known(1)
    with django_assert_num_queries(0):
        assert is_known(1)


def test_a_number_that_no_movie_can_have_is_unknown(store):
    assert not is_known(2**70)
    assert not is_known(-1)
