"""Matching of MovieLens films: by link, external id, title and year."""

import pytest

from command_api.catalogue.decider import AddMovie, LinkMovie, MovieFacts
from command_api.imports.movielens_matching import MovieLensMatcher
from command_api.imports.movielens_reader import MovieLensFilm
from command_api.imports.movielens_titles import parse


def film(movielens_id, text):
    return MovieLensFilm(movielens_id, parse(text), ("Drama",))


@pytest.fixture
def matcher():
    matcher = MovieLensMatcher(next_id=1_000_001)
    matcher.add(5, "The Matrix", 1999)
    matcher.add(9, "Suspicion", 1918)
    matcher.add(8, "Suspicion", 1918)
    matcher.link(5, "imdb", "tt0133093")
    return matcher


def test_film_matches_by_title_and_year(matcher):
    match = matcher.match(film(2571, "Matrix, The (1999)"), {})
    assert match == (5, "matched", [LinkMovie(5, "movielens", "2571")], [], ())


def test_external_id_takes_precedence_over_the_title(matcher):
    match = matcher.match(film(2571, "Die Matrix (1999)"), {"imdb": "tt0133093", "tmdb": "603"})
    assert match.movie_id == 5
    assert match.commands == [LinkMovie(5, "movielens", "2571"), LinkMovie(5, "tmdb", "603")]


def test_ambiguous_film_takes_the_lowest_id(matcher):
    match = matcher.match(film(1, "Suspicion (1918)"), {})
    assert (match.movie_id, match.how, match.candidates) == (8, "ambiguous", [9, 8])


def test_withdrawn_movie_matches_by_title_only_if_no_other_does(matcher):
    matcher.add_withdrawn(3, "The Matrix", 1999)
    matcher.add_withdrawn(4, "Heat", 1995)
    match = matcher.match(film(2571, "Matrix, The (1999)"), {})
    assert (match.movie_id, match.how) == (5, "matched")
    match = matcher.match(film(6, "Heat (1995)"), {})
    assert (match.movie_id, match.how) == (4, "matched")


def test_film_of_another_year_is_added_with_the_next_id(matcher):
    match = matcher.match(film(1, "Matrix, The (2021)"), {"tmdb": "7"})
    facts = MovieFacts(title="The Matrix", year=2021, genres=("Drama",))
    command = AddMovie(1_000_001, facts, (("movielens", "1"), ("tmdb", "7")))
    assert match == (1_000_001, "added", [command], [], [])
    assert matcher.match(film(2, "Heat (1995)"), {}).movie_id == 1_000_002


def test_two_films_with_the_same_title_and_year_are_one_movie(matcher):
    first = matcher.match(film(1, "Heat (1995)"), {})
    second = matcher.match(film(2, "Heat (1995)"), {})
    assert (second.movie_id, second.how) == (first.movie_id, "double")
    assert second.commands == [LinkMovie(first.movie_id, "movielens", "2")]


def test_films_without_a_year_are_never_matched(matcher):
    first = matcher.match(film(1, "unknown"), {})
    assert matcher.match(film(2, "unknown"), {}).movie_id != first.movie_id


def test_linked_film_keeps_its_movie_and_gets_new_links(matcher):
    matcher.match(film(2571, "Matrix, The (1999)"), {})
    match = matcher.match(film(2571, "The Matrix (2000)"), {"tmdb": "603"})
    assert match == (5, "there", [LinkMovie(5, "tmdb", "603")], [], ())


@pytest.mark.parametrize(
    ("text", "other_ids"),
    [
        ("Matrix, The (1999)", {}),
        ("Matrix (1999)", {}),  # without its article
        ("Matrix, The (1998)", {}),  # a year earlier
        ("The Ma-trix (1999)", {}),  # spelt differently
        ("Die Matrix (The Matrix) (1999)", {}),  # under another name, too
        ("Die Matrix (1999)", {"imdb": "tt0133093"}),  # by the id of another source
    ],
)
def test_number_counts_if_title_and_year_agree(matcher, text, other_ids):
    matcher.link(5, "movielens", "50")
    match = matcher.match(film(50, text), other_ids)
    assert (match.movie_id, match.how) == (5, "there")


@pytest.mark.parametrize(
    ("text", "movie_id", "how"),
    [
        ("Suspicion (1918)", 8, "ambiguous"),  # another movie of the catalogue
        ("Star Wars (1977)", 1_000_001, "added"),
        ("Matrix, The (2021)", 1_000_001, "added"),  # a remake
        ("Matrix Reloaded, The (1999)", 1_000_001, "added"),
        ("unknown", 1_000_001, "added"),
    ],
)
def test_number_of_another_film_does_not_count(matcher, text, movie_id, how):
    matcher.link(5, "movielens", "50")
    another = film(50, text)
    match = matcher.match(another, {})
    assert (match.movie_id, match.how) == (movie_id, how)
    assert matcher.linked["movielens", "50"] == 5
    again = matcher.match(another, {})
    assert (again.movie_id, again.how, again.commands) == (movie_id, "there", [])
    assert matcher.match(film(50, "Matrix, The (1999)"), {}).movie_id == 5


def test_renamed_movie_keeps_its_film(matcher):
    matcher.link(9, "movielens", "50")
    matcher.add_former_title(9, "Vitelloni, I", 1953)
    assert matcher.doubted(film(50, "I Vitelloni (1953)"), {}) is None
    assert matcher.match(film(50, "I Vitelloni (1953)"), {})[:2] == (9, "there")
    assert matcher.doubted(film(50, "Notti bianche, Le (1957)"), {}) == 9


def test_number_of_another_data_set_does_not_count(matcher):
    matcher.link(9, "movielens:ml-1m", "50")
    match = matcher.match(film(50, "Matrix, The (1999)"), {})
    assert match == (5, "matched", [LinkMovie(5, "movielens", "50")], [], ())


def test_films_of_two_data_sets_are_no_doubles(matcher):
    matcher.match(film(50, "Matrix, The (1999)"), {})
    other = MovieLensMatcher(1_000_001, "movielens:ml-1m", dict(matcher.linked))
    other.add(5, "The Matrix", 1999)
    match = other.match(film(2571, "Matrix, The (1999)"), {})
    assert match == (5, "matched", [LinkMovie(5, "movielens:ml-1m", "2571")], [], ())


def test_external_id_of_another_movie_is_not_taken_over(matcher):
    matcher.link(8, "tmdb", "603")
    match = matcher.match(film(2571, "Matrix, The (1999)"), {"imdb": "tt0133093", "tmdb": "603"})
    assert match.movie_id == 5
    assert match.conflicting_ids == [("tmdb", "603")]
    assert matcher.linked["tmdb", "603"] == 8


@pytest.fixture
def invented():
    """A matcher with invented movies."""
    matcher = MovieLensMatcher(next_id=1_000_001)
    for movie_id, title, year in (
        (10, "The Postponed", 1994),
        (11, "MouseTrap", 1997),
        (12, "Underneath It", 1995),
        (13, "A Longer Invented Name", 1990),
        (14, "Elève", 1991),
        (15, "Fear", 1996),
        (16, "The Twice Invented", 1950),
        (17, "The Twice Invented", 1952),
        (18, "Night Life", 1989),
        (19, "Nightlife", 1989),
        (20, "Another Invented Name", 1980),
        (21, "An Invented Remake", 1961),
        (22, "An Invented Remake", 1998),
    ):
        matcher.add(movie_id, title, year)
    return matcher


@pytest.mark.parametrize(
    ("text", "movie_id", "how"),
    [
        ("Postponed, The (1994)", 10, "matched"),  # article at the end
        ("Postponed (1994)", 10, "matched"),  # article missing
        ("Mouse Trap (1997)", 11, "matched"),  # extra blank
        ("Underneath It (Darunter) (1995)", 12, "matched"),  # other name in brackets
        ("Darunter (a.k.a. Underneath It) (1995)", 12, "matched"),
        ("Eleve (1991)", 14, "matched"),  # accent missing
        ("Longer Invented Name, A (1989)", 13, "near"),  # a year earlier
        ("Longer Invented Name, A (1991)", 13, "near"),  # a year later
        ("Longer Invented Name (1991)", None, "added"),  # year and spelling differ
        ("Longer Invented Name, A (1992)", None, "added"),  # two years off
        ("Fear (1995)", None, "added"),  # many films have this title
        ("Twice Invented, The (1951)", None, "added"),  # ambiguous
        ("Night-Life (1989)", 18, "matched"),  # spelling decides
        ("NightLife (1989)", 19, "matched"),
        ("Nig htlife (1989)", None, "added"),  # spelling does not decide: ambiguous
        ("Invented Remake, An (1961)", 21, "matched"),
        ("Invented Remake, An (1998)", 22, "matched"),
        ("Invented Remake, An (1980)", None, "added"),
        ("Name (Another Invented Name) (1981)", None, "added"),  # other name and other year
        ("Another Invented Name", None, "added"),  # no year at all
    ],
)
def test_how_similar_titles_are_matched(invented, text, movie_id, how):
    match = invented.match(film(1, text), {})
    assert (match.movie_id, match.how) == (movie_id or 1_000_001, how)


def test_movie_of_another_film_of_the_files_is_not_matched_by_a_near_year(invented):
    early, exact = (
        film(1, "Longer Invented Name, A (1989)"),
        film(2, "Longer Invented Name, A (1990)"),
    )
    for each in (early, exact):
        invented.expect(each, {})
    assert (match := invented.match(early, {})).how == "added"
    assert match.candidates == [13]
    assert invented.match(exact, {}).movie_id == 13


def test_linked_movie_is_not_matched_by_a_near_year(invented):
    invented.match(film(1, "Longer Invented Name, A (1990)"), {})
    assert invented.match(film(2, "Longer Invented Name, A (1991)"), {}).how == "added"


def test_second_id_of_a_film_of_a_near_year_is_a_double(invented):
    invented.match(film(1, "Longer Invented Name, A (1991)"), {})
    for _ in range(2):  # also when an earlier run matched the first film
        assert invented.match(film(1, "Longer Invented Name, A (1991)"), {}).movie_id == 13
    match = invented.match(film(2, "Longer Invented Name, A (1991)"), {})
    assert (match.movie_id, match.how) == (13, "double")
