"""Decider of movies: which commands become events."""

from dataclasses import replace
from functools import reduce

import pytest

from command_api.catalogue.decider import (
    LONGEST_REASON,
    AddMovie,
    DetailMovie,
    LinkMovie,
    MovieDetails,
    MovieFacts,
    MovieState,
    RestoreMovie,
    WithdrawMovie,
    decide,
    evolve,
)
from events.catalogue import (
    Credit,
    MovieAdded,
    MovieDescribed,
    MovieDetailed,
    MovieLinked,
    MovieRestored,
    MovieWithdrawn,
)
from infra.errors import Invalid, NotFound

HEAT = 7
FACTS = MovieFacts(title="Heat", year=1995, genres=("Crime", "Drama"), cast=("Al Pacino",))
ADDED = MovieAdded(
    movie_id=HEAT,
    title="Heat",
    year=1995,
    genres=("Crime", "Drama"),
    cast=("Al Pacino",),
    external_ids={"wikipedia": "Heat_(1995_film)"},
)


def given(*events):
    return reduce(evolve, events, MovieState())


def described(**changed):
    facts = {name: getattr(ADDED, name) for name in ("title", "year", "genres", "cast")}
    return MovieDescribed(movie_id=HEAT, **facts | changed)


def test_new_movie_is_added_with_all_its_facts():
    command = AddMovie(HEAT, FACTS, (("wikipedia", "Heat_(1995_film)"),))
    assert decide(command, given()) == (ADDED,)


def test_unchanged_facts_are_no_event():
    command = AddMovie(HEAT, FACTS, (("wikipedia", "Heat_(1995_film)"),))
    assert decide(command, given(ADDED)) == ()
    assert decide(AddMovie(HEAT, FACTS), given(ADDED)) == ()


def test_changed_facts_describe_the_movie():
    command = AddMovie(
        HEAT, MovieFacts(title="Heat", year=1996, genres=("Crime",)), (("imdb", "tt7"),)
    )
    assert decide(command, given(ADDED)) == (
        described(year=1996, genres=("Crime",), cast=()),
        MovieLinked(movie_id=HEAT, source="imdb", external_id="tt7"),
    )


def test_facts_without_an_overview_keep_the_current_one():
    event = described(overview="Cops and robbers.", poster_url="https://p.example/heat.jpg")
    assert decide(AddMovie(HEAT, FACTS), given(ADDED, event)) == ()


def test_facts_without_directors_and_prominence_keep_the_current_ones():
    event = described(directors=("Michael Mann",), prominence=80)
    assert decide(AddMovie(HEAT, FACTS), given(ADDED, event)) == ()
    nobody = replace(FACTS, directors=("Alan Smithee",), prominence=0)
    assert decide(AddMovie(HEAT, nobody), given(ADDED, event)) == (
        described(directors=("Alan Smithee",), prominence=0),
    )


def test_new_movie_has_its_directors_and_prominence():
    facts = replace(FACTS, directors=("Michael Mann",), prominence=80)
    [added] = decide(AddMovie(HEAT, facts), given())
    assert isinstance(added, MovieAdded)
    assert (added.directors, added.prominence) == (("Michael Mann",), 80)
    assert given(added).facts == facts


def test_external_id_is_linked_once():
    link = LinkMovie(HEAT, "movielens", "6")
    [linked] = decide(link, given(ADDED))
    assert linked == MovieLinked(movie_id=HEAT, source="movielens", external_id="6")
    assert decide(link, given(ADDED, linked)) == ()
    assert len(decide(LinkMovie(HEAT, "movielens", "60"), given(ADDED, linked))) == 1


def test_two_ids_of_one_source_are_both_linked():
    command = AddMovie(HEAT, FACTS, (("movielens", "6"), ("movielens", "60")))
    added, linked = decide(command, given())
    assert isinstance(added, MovieAdded)
    assert added.external_ids == {"movielens": "6"}
    assert linked == MovieLinked(movie_id=HEAT, source="movielens", external_id="60")


@pytest.mark.parametrize("command", [RestoreMovie(HEAT), LinkMovie(HEAT, "imdb", "tt7")])
def test_commands_on_a_missing_movie_are_not_found(command):
    with pytest.raises(NotFound):
        decide(command, given())


DETAILS = MovieDetails(
    runtime_minutes=170,
    crew=(Credit("Michael Mann", "Director"),),
    keywords=("heist",),
    titles=frozenset({("fr", "Heat"), ("de", "Heat")}),
)
DETAILED = MovieDetailed(
    movie_id=HEAT,
    runtime_minutes=170,
    crew=(Credit("Michael Mann", "Director"),),
    keywords=("heist",),
    titles={"de": "Heat", "fr": "Heat"},
)


def test_unchanged_details_are_no_event():
    command = DetailMovie(HEAT, DETAILS)
    assert decide(command, given(ADDED)) == (DETAILED,)
    assert decide(command, given(ADDED, DETAILED)) == ()
    assert decide(DetailMovie(HEAT, MovieDetails()), given(ADDED)) == ()


def test_details_of_a_missing_movie_are_not_found():
    with pytest.raises(NotFound):
        decide(DetailMovie(HEAT, DETAILS), given())


WITHDRAWN = MovieWithdrawn(movie_id=HEAT, reason="a double")


def test_movie_is_withdrawn_once():
    assert decide(WithdrawMovie(HEAT, " a double\n"), given(ADDED)) == (WITHDRAWN,)
    assert decide(WithdrawMovie(HEAT, "the same"), given(ADDED, WITHDRAWN)) == ()


def test_movie_is_restored_once_and_may_be_withdrawn_again():
    restored = MovieRestored(movie_id=HEAT)
    assert decide(RestoreMovie(HEAT), given(ADDED, WITHDRAWN)) == (restored,)
    assert decide(RestoreMovie(HEAT), given(ADDED)) == ()
    assert decide(RestoreMovie(HEAT), given(ADDED, WITHDRAWN, restored)) == ()
    withdrawn_again = decide(WithdrawMovie(HEAT, "a double"), given(ADDED, WITHDRAWN, restored))
    assert withdrawn_again == (WITHDRAWN,)


@pytest.mark.parametrize("reason", ["", "  ", "x" * (LONGEST_REASON + 1)])
def test_withdrawal_needs_a_reason_of_limited_length(reason):
    with pytest.raises(Invalid):
        decide(WithdrawMovie(HEAT, reason), given(ADDED))


@pytest.mark.parametrize("command", [WithdrawMovie(HEAT, "a double"), RestoreMovie(HEAT)])
def test_missing_movie_can_be_neither_withdrawn_nor_restored(command):
    with pytest.raises(NotFound):
        decide(command, given())


def test_withdrawn_movie_may_be_described():
    command = AddMovie(HEAT, MovieFacts(title="Heat", year=1996))
    [event] = decide(command, given(ADDED, WITHDRAWN))
    assert evolve(given(ADDED, WITHDRAWN), event).is_withdrawn
