"""Do titles and queries meet, however they are spelled?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projectors.read_models.search.text_normalisation import (
    compounds,
    fold,
    without_article,
    without_spaces,
    words,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Amélie", "amelie"),
        ("Ame\u0301lie", "amelie"),  # the accent as a sign of its own
        ("ÆON FLUX", "aeon flux"),
        ("Łódź Straße Ørsted", "lodz strasse orsted"),
        ("Schindler's List", "schindlers list"),
        ("Schindler\u2019s List", "schindlers list"),
        ("Fast & Furious", "fast and furious"),
        ("E.T. the Extra-Terrestrial", "e t the extra terrestrial"),
        ("Alien³", "alien3"),
        ("snake_case", "snake case"),
        ("七人の侍", "七人の侍"),
        ("!!! ... ???", ""),
        ("\N{MATHEMATICAL BOLD CAPITAL A}lien", "alien"),
        ("", ""),
    ],
)
def test_what_is_left_of_a_text(text, expected):
    assert fold(text) == expected


@given(st.text())
def test_words_stand_where_they_say(text):
    for word in words(text):
        assert fold(text[word.start : word.end]) == word.folded


@given(st.text())
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


def test_what_is_written_without_a_space_can_be_typed_as_one():
    assert compounds("Spider-Man: Into the Spider-Verse") == "spiderman spiderverse"
    assert compounds("Spider Man") == ""


def test_a_whole_title_can_be_typed_without_spaces():
    assert without_spaces("M*A*S*H") == ["mash"]
    assert without_spaces("The Thing") == ["thething", "thing"]
    assert without_spaces("") == [""]


def test_an_article_alone_stays():
    assert without_article("the godfather") == "godfather"
    assert without_article("a") == "a"
