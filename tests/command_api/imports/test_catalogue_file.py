"""Catalogue file: what is taken of a line, and why a line is refused."""

import json
from collections import Counter

import pytest

from command_api.imports.catalogue_file import parse

HEAT = {"id": 1, "title": "Heat", "year": 1995}


def parse_line(**fields):
    reported: list[str] = []
    command = parse(json.dumps(HEAT | fields).encode(), Counter(), reported.append)
    return command, reported


@pytest.mark.parametrize(
    ("external_ids", "links"),
    [
        (None, ()),
        ({}, ()),
        ([], ()),
        ({"imdb": None}, ()),
        ({"imdb": None, "tmdb": 949}, (("tmdb", "949"),)),
        ({"imdb": 113277}, (("imdb", "tt0113277"),)),
        ({"imdb": "0113277"}, (("imdb", "tt0113277"),)),
        ({"IMDB": "TT0113277", "imdb": "tt0113277"}, (("imdb", "tt0113277"),)),
    ],
)
def test_external_ids_are_taken_in_their_normal_form(external_ids, links):
    command, reported = parse_line(external_ids=external_ids)
    assert (command.external_ids, reported) == (links, [])


@pytest.mark.parametrize("written", ['"year":1995.0', '"year":1995.00', '"year":1.995e3'])
def test_whole_number_may_be_written_with_a_fraction_of_zeros(written):
    command = parse(f'{{"id":1.0,"title":"Heat",{written},"prominence":80.0}}'.encode(), Counter())
    assert (command.movie_id, command.facts.year, command.facts.prominence) == (1, 1995, 80)


@pytest.mark.parametrize("year", ["1995.5", '"1995"', "true", "1e400", "-0.0"])
def test_other_number_is_refused_by_field(year):
    with pytest.raises(ValueError, match=r"`\$.year`"):
        parse(f'{{"id":1,"title":"Heat","year":{year}}}'.encode(), Counter())


def test_line_that_is_nested_too_deep_is_refused():
    nested = "[" * 100_000 + "]" * 100_000
    with pytest.raises(ValueError, match="nested too deep"):
        parse(f'{{"id":1,"title":"Heat","external_ids":{nested}}}'.encode(), Counter())


def test_huge_number_as_an_external_id_does_not_cost_the_movie():
    line = b'{"id":1,"title":"Heat","external_ids":{"imdb":1e400,"tmdb":949}}'
    reported: list[str] = []
    assert parse(line, Counter(), reported.append).external_ids == (("tmdb", "949"),)
    assert reported == ["'imdb': inf is not an id"]


@pytest.mark.parametrize("external_ids", ["tt0113277", 7, [1], {"imdb": "x", "tmdb": "949"}])
def test_unreadable_external_ids_do_not_cost_the_movie(external_ids):
    command, reported = parse_line(external_ids=external_ids)
    assert command.facts.title == "Heat"
    assert len(reported) == 1


def test_wikipedia_page_of_the_line_replaces_that_of_the_external_ids():
    ids = {"wikipedia": "Other", "tmdb": 949}
    command, _ = parse_line(wikipedia="Heat_(1995_film)", external_ids=ids)
    assert command.external_ids == (("tmdb", "949"), ("wikipedia", "Heat_(1995_film)"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "\u200b"),
        ("title", "\u3164"),
        ("title", "  "),
        ("title", "He\u202eat"),
        ("title", "He\x1bat"),
        ("title", "He\0at"),
        ("cast", ["Al Pacino", "\u2060"]),
        ("cast", ["Al \u2066Pacino"]),
        ("genres", ["Cri\x07me"]),
        ("overview", "a\u202eb"),
        ("wikipedia", "\u200b"),
        ("poster_url", "https://example.org/\u202egpj.exe"),
        ("poster_url", "https://example.org/\x07"),
        ("title", "\u0958" * 500),  # twice as long in its normal form
        ("cast", ["\u0958" * 200]),
    ],
)
def test_line_with_a_hidden_character_or_a_blank_name_is_refused_by_field(field, value):
    with pytest.raises(ValueError, match=f"^{field}: "):
        parse_line(**{field: value})


@pytest.mark.parametrize(
    ("title", "cleaned"),
    [
        ("He\u200bat", "Heat"),
        ("\ufeffHeat", "Heat"),
        ("He\u00adat", "Heat"),
        ("Heat\u00a0 2", "Heat 2"),
        ("Ame\u0301lie", "Am\u00e9lie"),
    ],
)
def test_invisible_characters_are_left_out_of_titles(title, cleaned):
    assert parse_line(title=title)[0].facts.title == cleaned


def test_overview_keeps_its_lines():
    assert parse_line(overview="One.\n\nTwo\u200b.")[0].facts.overview == "One.\n\nTwo."
