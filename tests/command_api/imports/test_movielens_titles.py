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
        ("Vitelloni, I (1953)", "I Vitelloni", 1953),
        ("Convent, The (Convento, O) (1995)", "The Convent (O Convento)", 1995),
        ("Avventura, L\u2019 (1960)", "L\u2019Avventura", 1960),
        ("Amours imaginaires, Les (2010)", "Les Amours imaginaires", 2010),
        ("Gattopardo,Il (1963)", "Il Gattopardo", 1963),
        ("Olvidados, Los (1950)", "Los Olvidados", 1950),
        ("Kid, Ett (1990)", "Ett Kid", 1990),
        ("Aanslag, De (1986)", "De Aanslag", 1986),
        ("Avond, 't (1990)", "'t Avond", 1990),
        ("Naser Salah el Dine, El- (1963)", "El-Naser Salah el Dine", 1963),
        ("Homme, L\u00b4 (1990)", "L\u00b4Homme", 1990),
        ("matrix, the (1999)", "the matrix", 1999),
        ("MATRIX, THE (1999)", "THE MATRIX", 1999),
        (
            "Ulysses' Gaze (Vlemma tou Odyssea, To) (1995)",
            "Ulysses' Gaze (To Vlemma tou Odyssea)",
            1995,
        ),
        ("Diplomatic Immunity (2009\u2013 )", "Diplomatic Immunity", 2009),
        ("Eat, Pray, die (1990)", "Eat, Pray, die", 1990),
        ("Paris, Texas (1984)", "Paris, Texas", 1984),
        ("Bye Bye, Love (1995)", "Bye Bye, Love", 1995),
        ("I, Robot (2004)", "I, Robot", 2004),
        ("The  Ma\u200btrix (1999)", "The Matrix", 1999),
        ("\u200b (1990)", "", 1990),
        ("\u3164\u200d", "", None),
    ],
)
def test_movielens_titles_are_parsed_with_article_first(text, title, year):
    assert parse(text)[:2] == (title, year)


@pytest.mark.parametrize("hidden", "\u202e\u2067\x07\x9b")
def test_title_with_a_control_is_refused(hidden):
    with pytest.raises(ValueError, match=rf"U\+{ord(hidden):04X} is not allowed"):
        parse(f"Al{hidden}ien (1979)")


@pytest.mark.parametrize("text", ["\u0958" * 500, "x(a)" + "(b)" * 160])
def test_title_that_gets_too_long_is_refused(text):
    assert len(text) <= 500
    with pytest.raises(ValueError, match="longer than 500 characters"):
        parse(text)


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
