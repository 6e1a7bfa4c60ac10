"""Highlighting: matched words of a title, also with typos."""

import pytest

from projectors.read_models.search.highlight import highlight, is_typo_of


@pytest.mark.parametrize(
    ("title", "q", "expected"),
    [
        ("Amélie", "amelie", "<em>Amélie</em>"),
        ("The Godfather", "godfathr", "The <em>Godfather</em>"),
        ("Star Wars", "star wa", "<em>Star</em> <em>Wars</em>"),
        ("The Thing", "the th", "<em>The</em> <em>Thing</em>"),
        ("Theodora and the Man", "the", "Theodora and <em>the</em> Man"),
        ("Spider-Man", "spiderman", "<em>Spider</em>-<em>Man</em>"),
        ("Tom & Jerry", "tom and jerry", "<em>Tom</em> <em>&amp;</em> <em>Jerry</em>"),
        ("<script>alert(1)</script>", "alert", "&lt;script&gt;<em>alert</em>(1)&lt;/script&gt;"),
        ("Alien", "", "Alien"),
        ("Alien", "???", "Alien"),
    ],
)
def test_highlight_marks_matched_words(title, q, expected):
    assert highlight(title, q) == expected


@pytest.mark.parametrize(
    ("word", "query_word", "expected"),
    [
        ("alien", "alien", True),
        ("alien", "alein", True),  # two swapped neighbours are one typo
        ("alien", "aien", True),
        ("alien", "blien", False),  # the first letter must match
        ("casablanca", "casblnca", True),
        ("heat", "hopt", False),
        ("up", "us", False),
    ],
)
def test_typo_distance_decides_the_match(word, query_word, expected):
    assert is_typo_of(word, query_word) is expected
