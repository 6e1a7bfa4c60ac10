"""External ids: one normal form for the spellings of files."""

import pytest

from command_api.catalogue.external_ids import readable_ids, whole_number


def read(**given):
    reported: list[str] = []
    return dict(readable_ids(given, reported.append)), reported


@pytest.mark.parametrize(
    "value",
    [
        "tt0114369",
        "TT0114369",
        "Tt0114369",
        "0114369",
        "114369",
        "tt114369",
        " tt0114369 ",
        114369,
        114369.0,
        "114369.0",
        "0114369.00",
    ],
)
def test_imdb_id_has_one_normal_form(value):
    assert read(imdb=value) == ({"imdb": "tt0114369"}, [])


@pytest.mark.parametrize(
    ("source", "value", "normal"),
    [
        ("tmdb", 862, "862"),
        ("tmdb", "862.0", "862"),
        ("tmdb", " 00862", "862"),
        ("imdb", 15239678, "tt15239678"),
        ("wikidata", "q171048", "Q171048"),
        ("wikidata", 171048, "Q171048"),
        ("letterboxd", "heat-1995", "heat-1995"),
        ("mubi", 7, "7"),
        ("mubi", 7.0, "7"),
    ],
)
def test_ids_of_every_source_have_one_normal_form(source, value, normal):
    assert read(**{source: value}) == ({source: normal}, [])


@pytest.mark.parametrize("value", [None, "", "  ", "\t"])
def test_missing_id_is_left_out_silently(value):
    assert read(imdb=value, tmdb="862") == ({"tmdb": "862"}, [])


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("imdb", "nm0000158"),
        ("imdb", "tt"),
        ("imdb", "tt0000000"),
        ("imdb", True),
        ("imdb", ["tt0114369"]),
        ("imdb", "tt" + "1" * 600),
        ("tmdb", "862.5"),
        ("tmdb", 862.5),
        ("tmdb", -862),
        ("tmdb", "0"),
        ("tmdb", "\u0661\u0662"),
        ("wikidata", "Q0"),
        ("mubi", "a b"),
        ("mubi", "a\0b"),
        ("mubi", "x" * 501),
        ("mubi", {}),
        ("no source!", "1"),
        ("", "1"),
        ("s" * 41, "1"),
    ],
)
def test_unreadable_id_is_reported_and_costs_no_other(source, value):
    links, reported = read(**{source: value, "trakt": "1"})
    assert links == {"trakt": "1"}
    assert len(reported) == 1
    assert repr(source)[:40] in reported[0]


def test_sources_are_in_lower_case():
    assert read(IMDb="tt0114369", **{" TMDB ": 862}) == ({"imdb": "tt0114369", "tmdb": "862"}, [])


def test_names_of_tmdb_are_those_of_the_sources():
    ids = {"imdb_id": "tt0114369", "tmdb_id": 862, "wikidata_id": "Q171048", "facebook_id": "Toy"}
    named = {"imdb": "tt0114369", "tmdb": "862", "wikidata": "Q171048", "facebook_id": "Toy"}
    assert read(**ids) == (named, [])


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("7", 7), (" 007 ", 7), ("7.0", 7), ("7.", 7), ("7.5", None), ("", None)),
        *(("-7", None), ("1e3", None), ("1_0", None), ("\u0667", None), ("9" * 19, None)),
    ],
)
def test_whole_number_may_have_a_fraction_of_zeros(text, number):
    assert whole_number(text) == number
