"""Text from outside: in NFC, without characters that nobody sees or that reorder a line.

Joiners and marks that scripts and emoji need stay, at most two in a row: U+200C to U+200F, U+061C
and variation selectors; so do the tags in the flags of England, Scotland and Wales. Longer rows
carry hidden text.
"""

import re
from collections.abc import Iterator
from unicodedata import category, combining, normalize

MAX_MARKS = 30
"""Combining marks in a row, as in Unicode's stream-safe format.

Normalisation sorts each row, in quadratic time: 256 KiB in one row would take 30 s.
"""
_CONTROLS = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories: controls, surrogates, line and paragraph separators."""
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""They make text read in another order than it is written."""
_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF)
)
"""Code points that will never be characters."""
_JOINERS = "\u061c\u180b-\u180d\u180f\u200c-\u200f\ufe00-\ufe0f\U000e0100-\U000e01ef"
_FLAG_OR_INVISIBLE = re.compile(
    "(\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f)"
    "|[\u00ad\u034f\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
    f"{_NONCHARACTERS}]|(?<=[{_JOINERS}]{{2}})[{_JOINERS}]"
)
"""A flag, or a character that nobody sees and nothing needs, such as the zero-width space."""
_SHAPELESS = frozenset("\u115f\u1160\u2800\u3164\uffa0\U00013441\U00013442\U0001d159")
"""Letters and symbols without a shape, such as the fillers of Hangul."""
_LINE_CHARACTERS = frozenset("\n\r\t")


class RefusedText(ValueError):
    """A text is not allowed; the message says why."""


class TooManyMarks(RefusedText):
    """Too many combining marks follow each other."""

    def __init__(self) -> None:
        super().__init__(f"At most {MAX_MARKS} combining marks may follow each other.")


class HiddenCharacter(RefusedText):
    """A text has a character that is not allowed; the message names it."""

    def __init__(self, character: str) -> None:
        super().__init__(f"The character U+{ord(character):04X} is not allowed.")


def normalised(text: str, *, is_long: bool = False, is_secret: bool = False) -> str:
    """The text in NFC; raises HiddenCharacter or TooManyMarks.

    Long text may have line breaks and tabs. A secret, which is compared and never shown, may have
    invisible characters, but no controls.
    """
    if text.isascii() and text.isprintable():
        return text
    for character in text:
        if _is_control(character, is_long=is_long):
            raise HiddenCharacter(character)
    for found in () if is_secret else _FLAG_OR_INVISIBLE.finditer(text):
        if not found[1]:
            raise HiddenCharacter(found[0])
    if next(_excess_marks(text), None) is not None:
        raise TooManyMarks
    return normalize("NFC", text)


def without_invisible(text: str) -> str:
    """The text without the characters that nobody sees and nothing needs."""
    return _FLAG_OR_INVISIBLE.sub(lambda found: found[1] or "", text)


def one_line(text: str) -> str:
    """A name of a file: normalised, without invisible characters and needless blanks.

    Raises HiddenCharacter for controls, and TooManyMarks; line breaks become blanks.
    """
    return normalised(" ".join(without_invisible(text).split()))


def scrubbed(text: str, *, is_long: bool = False) -> str:
    """A text of a source that nobody can correct: all hidden characters are left out."""
    kept = without_invisible(text)
    kept = kept if is_long else " ".join(kept.split())
    visible = "".join(each for each in kept if not _is_control(each, is_long=is_long))
    excess = frozenset(_excess_marks(visible))
    stackable = "".join(each for at, each in enumerate(visible) if at not in excess)
    return normalize("NFC", stackable).strip()


def is_blank(text: str) -> bool:
    """Whether there is nothing to see, not even of a mark without its letter."""
    return not any(_is_visible(character) for character in text)


def _excess_marks(text: str) -> Iterator[int]:
    """The positions of combining marks with too many others right before them."""
    marks = 0
    for position, character in enumerate(text):
        # Some letters become marks only when they are decomposed: U+0F73, U+FF9E.
        is_mark = not character.isascii() and combining(normalize("NFKD", character)[0])
        marks = marks + 1 if is_mark else 0
        if marks > MAX_MARKS:
            yield position


def _is_control(character: str, *, is_long: bool) -> bool:
    if is_long and character in _LINE_CHARACTERS:
        return False
    return category(character) in _CONTROLS or character in _BIDI_CONTROLS


def _is_visible(character: str) -> bool:
    kind = category(character)
    return kind[0] not in "MZ" and kind not in {"Cc", "Cf", "Cs"} and character not in _SHAPELESS
