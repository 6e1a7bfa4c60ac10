"""Genre table: names of all sources and their translation."""

import pytest

from command_api.catalogue.genres import GENRES, translate

WIKIPEDIA = (
    "Drama|Comedy|Silent|Western|Romance|Crime|Action|Thriller|Musical|Adventure|Horror|War"
    "|Mystery|Noir|Short|Animated|Fantasy|Biography|Historical|Documentary|Sports|Family"
    "|Independent|Supernatural|Erotic|Slasher|Superhero|Spy|Teen|Satire|Suspense|Political|Disaster"
    "|Legal|Performance|Sport|Dance|Science Fiction|Martial Arts|Live Action|Found Footage"
)
MOVIELENS = (
    "Action|Adventure|Animation|Children's|Children|Comedy|Crime|Documentary|Drama|Fantasy|Film-Noir"
    "|Horror|IMAX|Musical|Mystery|Romance|Sci-Fi|Thriller|War|Western|(no genres listed)"
)
TMDB = (
    "Action|Adventure|Animation|Comedy|Crime|Documentary|Drama|Family|Fantasy|History|Horror|Music"
    "|Mystery|Romance|Science Fiction|TV Movie|Thriller|War|Western"
)


@pytest.mark.parametrize("names", [WIKIPEDIA, MOVIELENS, TMDB, "|".join(GENRES)])
def test_genre_table_has_every_name_of_every_source(names):
    translated = translate(names.split("|"))
    assert translated.unknown == ()
    assert set(translated.genres) <= set(GENRES)


@pytest.mark.parametrize(
    ("source_names", "expected"),
    [
        ("Sci-Fi", "Science Fiction"),
        ("film-noir", "Film Noir"),
        ("Noir", "Film Noir"),
        ("Animated", "Animation"),
        ("Children's", "Family"),
        ("Historical", "History"),
        (" Sports ", "Sport"),
    ],
)
def test_genre_names_of_other_sources_are_translated(source_names, expected):
    assert translate([source_names]).genres == (expected,)


def test_genres_keep_their_order_without_duplicates():
    assert translate(["Suspense", "Drama", "Thriller"]).genres == ("Thriller", "Drama")


def test_non_genres_are_dropped_and_unknown_genres_reported():
    assert translate(["TV Movie", "Gastronomy", "Drama"]) == (("Drama",), ("Gastronomy",))
