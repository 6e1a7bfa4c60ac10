"""Visible text: which characters are refused, left out or kept."""

import pytest

from infra.visible_text import (
    MAX_MARKS,
    HiddenCharacter,
    TooManyMarks,
    is_blank,
    normalised,
    one_line,
    scrubbed,
    without_invisible,
)

ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
TAGS = "".join(chr(0xE0000 + ord(letter)) for letter in "hello world")
RAINBOW_FLAG = "\U0001f3f3\ufe0f\u200d\U0001f308"
NEEDED = [
    "Amélie",
    "千と千尋の神隠し",
    FAMILY,
    ENGLAND,
    ENGLAND * 3,
    RAINBOW_FLAG,
    "\u2764\ufe0f",  # a heart, as emoji
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian needs the non-joiner
    "\u200e\u05e9\u05dc\u05d5\u05dd",
    "क\u094dष",
    "葛\U000e0100",  # a variant of the character
]


@pytest.mark.parametrize("text", NEEDED)
def test_text_that_scripts_and_emoji_need_is_kept(text):
    assert normalised(text) == one_line(text) == scrubbed(text) == text
    assert not is_blank(text)


@pytest.mark.parametrize("control", "\0\x07\x1b\x7f\x85\u2028\u2029\u202a\u202e\u2066\u2069")
def test_controls_are_refused_and_named(control):
    with pytest.raises(HiddenCharacter, match=rf"U\+{ord(control):04X}"):
        normalised(f"Al{control}ien")
    assert scrubbed(f"Al{control}ien").replace(" ", "") == "Alien"


@pytest.mark.parametrize(
    "invisible",
    "\u00ad\u034f\u180e\u200b\u2060\u2063\u206f\ufeff\ufffb\U000e0001\U000e0041"
    "\ufdd0\ufffe\uffff\U0001fffe\U0010ffff",
)
def test_invisible_characters_are_refused_in_bodies_and_left_out_of_files(invisible):
    with pytest.raises(HiddenCharacter, match=rf"U\+{ord(invisible):04X}"):
        normalised(f"Al{invisible}ien")
    assert one_line(f"Al{invisible}ien") == without_invisible(f"Al{invisible}ien") == "Alien"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("\U0001f600" + "".join(map(chr, range(0xFE00, 0xFE10))), "\U0001f600\ufe00\ufe01"),
        ("葛" + "".join(map(chr, range(0xE0100, 0xE01F0))), "葛\U000e0100\U000e0101"),
        ("a" + "\u200c\u200d\u200e\u200f" * 50 + "b", "a\u200c\u200db"),
        (f"\U0001f3f4{TAGS}\U000e007f", "\U0001f3f4"),
    ],
)
def test_text_hidden_in_a_row_of_invisible_characters_is_refused(text, kept):
    with pytest.raises(HiddenCharacter):
        normalised(text)
    assert one_line(text) == scrubbed(text) == kept
    assert normalised(kept) == kept


def test_secret_may_have_invisible_characters_but_no_controls():
    assert normalised("pass\u200bword", is_secret=True) == "pass\u200bword"
    with pytest.raises(HiddenCharacter):
        normalised("pass\x07word", is_secret=True)


@pytest.mark.parametrize("hidden", ["\u202e", "\0", "\x1b[31m"])
def test_name_of_a_file_with_a_control_is_refused(hidden):
    with pytest.raises(HiddenCharacter):
        one_line(f"Al{hidden}ien")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  The\u00a0 Matrix\t", "The Matrix"),
        ("Toy\nStory", "Toy Story"),
        ("Ame\u0301lie", "Am\u00e9lie"),
        ("a \u200b b", "a b"),
    ],
)
def test_name_of_a_file_is_one_line_without_needless_blanks(text, line):
    assert one_line(text) == scrubbed(text) == line


def test_long_text_keeps_its_lines():
    assert normalised("é\n\tb", is_long=True) == scrubbed("é\n\tb", is_long=True) == "é\n\tb"


@pytest.mark.parametrize(
    "text",
    ["", " ", "\u00a0", *"\u200b\u200d\u200e\ufe0f\u3164\u2800\U0001d159", "\u115f \u0301"],
)
def test_text_without_anything_to_see_is_blank(text):
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", "!", "$", "8\u00bd", "…", "\ue000", "\U0001fae9"])
def test_every_sign_counts_as_something_to_see(text):
    assert not is_blank(text)


@pytest.mark.parametrize("mark", ["\u0301", "\u0323", "\u0f73", "\uff9e", "\u0301\u0323"])
def test_long_row_of_marks_is_refused_and_cut_where_nobody_can_correct_it(mark):
    longest = f"a{mark * (MAX_MARKS // len(mark))}"
    for text in (f"{longest}{mark}b", f"{longest}{mark * 1000}b"):
        for read in (normalised, one_line):
            with pytest.raises(TooManyMarks, match=f"At most {MAX_MARKS} combining marks"):
                read(text)
        assert scrubbed(text) == normalised(f"{longest}b")
    assert normalised(longest * 3) == one_line(longest * 3) == scrubbed(longest * 3)
