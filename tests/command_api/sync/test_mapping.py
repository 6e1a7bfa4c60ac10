"""Mapping of TMDb's texts: without hidden characters."""

import pytest
from msgspec.structs import replace

from command_api.catalogue.tmdb.schemas import CastMember, Credits, FilmResponse
from command_api.sync.mapping import facts_of


def facts(**fields):
    film = FilmResponse(id=949, title="Heat", release_date="1995-12-15", genres=())
    return facts_of(replace(film, **fields), None, image_url="https://image.example")


@pytest.mark.parametrize(
    ("title", "cleaned"),
    [
        ("He\u200bat", "Heat"),
        ("He\u202eat", "Heat"),
        ("\ufeffHeat\x1b", "Heat"),
        ("Heat\n\u00a02", "Heat 2"),
        ("Ame\u0301lie", "Am\u00e9lie"),
    ],
)
def test_hidden_characters_are_left_out_of_tmdbs_titles(title, cleaned):
    assert facts(title=title).title == cleaned


@pytest.mark.parametrize("title", ["", "  ", "\u200b", "\x00", "\u3164"])
def test_film_of_tmdb_without_a_title_is_refused(title):
    with pytest.raises(ValueError, match="no title"):
        facts(title=title)


def test_hidden_characters_are_left_out_of_tmdbs_names_and_overviews():
    cast = tuple(CastMember(name) for name in ("Al \u202ePacino", "\u200b", "Val\u00ad Kilmer"))
    film = facts(credits=Credits(cast=cast), overview="One.\n\nTwo\u2066.")
    assert film.cast == ("Al Pacino", "Val Kilmer")
    assert film.overview == "One.\n\nTwo."
