"""MovieLens titles: articles, brackets, years and keys."""

import pytest

from command_api.catalogue.title_keys import key
from command_api.imports.movielens_titles import parse


@pytest.mark.parametrize(
    ("text", "title", "year"),
    [
        ("Heat (1995)", "Heat", 1995),
        ("Matrix, The (1999) ", "The Matrix", 1999),
        ("Beautiful Mind, A (2001)", "A Beautiful Mind", 2001),
        ("Avventura, L' (1960)", "L'Avventura", 1960),
        (
            "City of Lost Children, The (Cité des enfants perdus, La) (1995)",
            "The City of Lost Children (La Cité des enfants perdus)",
            1995,
        ),
        ("(500) Days of Summer (2009)", "(500) Days of Summer", 2009),
        ("Good, the Bad and the Ugly, The (1966)", "The Good, the Bad and the Ugly", 1966),
        ("Fawlty Towers (1975-1979)", "Fawlty Towers", 1975),
        ("1984", "1984", None),
        ("unknown", "unknown", None),
        ("2001: A Space Odyssey (1968)", "2001: A Space Odyssey", 1968),
    ],
)
def test_movielens_titles_are_parsed_with_article_first(text, title, year):
    assert parse(text)[:2] == (title, year)


def test_names_in_brackets_are_alternatives():
    names = parse("Seven (a.k.a. Se7en) (1995)").names
    assert names == ("Seven (Se7en)", "Seven", "Se7en")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Amélie", "amelie"),
        ("Up Close & Personal", "Up Close and Personal"),
        ("Die Hard: With a Vengeance", "Die Hard with a Vengeance"),
        ("Mrs. Dalloway", "Mrs Dalloway"),
        ("Boy\u2019s Life", "Boy's Life"),
    ],
)
def test_spellings_of_a_title_share_a_key(one, other):
    assert key(one) == key(other)


@pytest.mark.parametrize(("one", "other"), [("$", "..."), ("Alien", "Aliens"), ("8", "8 1/2")])
def test_different_titles_have_different_keys(one, other):
    assert key(one) != key(other)
