"""Text normalisation: folding, words and word groups."""

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
        ("Ame\u0301lie", "amelie"),  # combining accent
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
def test_fold_removes_case_accents_and_punctuation(text, expected):
    assert fold(text) == expected


@given(st.text())
def test_word_spans_match_the_text(text):
    for word in words(text):
        assert fold(text[word.start : word.end]) == word.folded


@given(st.text())
def test_fold_is_idempotent(text):
    assert fold(fold(text)) == fold(text)


def test_joined_words_form_compounds():
    assert compounds("Spider-Man: Into the Spider-Verse") == "spiderman spiderverse"
    assert compounds("Spider Man") == ""


def test_title_without_spaces_keeps_article_variants():
    assert without_spaces("M*A*S*H") == ["mash"]
    assert without_spaces("The Thing") == ["thething", "thing"]
    assert without_spaces("") == [""]


def test_article_alone_is_kept():
    assert without_article("the godfather") == "godfather"
    assert without_article("a") == "a"
