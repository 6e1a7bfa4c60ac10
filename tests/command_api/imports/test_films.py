"""Which of our movies are the films that MovieLens names?"""

import pytest

from command_api.catalogue.decider import AddMovie, Facts, LinkMovie
from command_api.imports.films import Known
from command_api.imports.movielens_files import Film
from command_api.imports.titles import parse


def film(movielens_id, text):
    return Film(movielens_id, parse(text), ("Drama",))


@pytest.fixture
def known():
    movies = Known(next_id=1_000_001)
    movies.add(5, "The Matrix", 1999)
    movies.add(9, "Suspicion", 1918)
    movies.add(8, "Suspicion", 1918)
    movies.link(5, "imdb", "tt0133093")
    return movies


def test_the_same_title_and_year_is_the_same_movie(known):
    found = known.find(film(2571, "Matrix, The (1999)"), {})
    assert found == (5, "matched", [LinkMovie(5, "movielens", "2571")], [])


def test_an_id_of_another_source_says_more_than_the_title(known):
    found = known.find(film(2571, "Die Matrix (1999)"), {"imdb": "tt0133093", "tmdb": "603"})
    assert found.movie_id == 5
    assert found.commands == [LinkMovie(5, "movielens", "2571"), LinkMovie(5, "tmdb", "603")]


def test_of_several_the_lowest_id_is_taken(known):
    assert known.find(film(1, "Suspicion (1918)"), {})[:2] == (8, "ambiguous")


def test_another_year_is_another_movie_and_gets_the_next_number(known):
    found = known.find(film(1, "Matrix, The (2021)"), {"tmdb": "7"})
    facts = Facts(title="The Matrix", year=2021, genres=("Drama",))
    command = AddMovie(1_000_001, facts, (("movielens", "1"), ("tmdb", "7")))
    assert found == (1_000_001, "added", [command], [])
    assert known.find(film(2, "Heat (1995)"), {}).movie_id == 1_000_002


def test_two_ids_for_one_new_film_are_one_movie(known):
    first = known.find(film(1, "Heat (1995)"), {})
    second = known.find(film(2, "Heat (1995)"), {})
    assert (second.movie_id, second.how) == (first.movie_id, "double")
    assert second.commands == [LinkMovie(first.movie_id, "movielens", "2")]


def test_films_without_a_year_are_never_matched(known):
    first = known.find(film(1, "unknown"), {})
    assert known.find(film(2, "unknown"), {}).movie_id != first.movie_id


def test_what_was_found_before_stays_so_and_learns_new_links(known):
    known.find(film(2571, "Matrix, The (1999)"), {})
    found = known.find(film(2571, "Renamed (2024)"), {"tmdb": "603"})
    assert found == (5, "there", [LinkMovie(5, "tmdb", "603")], [])


def test_an_id_that_is_another_movies_is_not_taken_over(known):
    known.link(8, "tmdb", "603")
    found = known.find(film(2571, "Matrix, The (1999)"), {"imdb": "tt0133093", "tmdb": "603"})
    assert found.movie_id == 5
    assert found.taken == [("tmdb", "603")]
    assert known.linked["tmdb", "603"] == 8
