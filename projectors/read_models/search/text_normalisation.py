"""Text normalisation: folds case and accents, and splits text into words.

The one place where text is folded: titles and names before indexing, queries before searching, and
titles again for highlighting. The index itself only splits at spaces.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

_MARKS = r"\u0300-\u036f"
_LETTER = rf"(?:[^\W_]|[{_MARKS}])"
# An apostrophe inside a word belongs to it: Schindler's is one word, "schindlers".
_WORD = re.compile(rf"{_LETTER}+(?:['’ʼ]{_LETTER}+)*|&")  # noqa: RUF001 - typographic apostrophes occur
_NOT_DECOMPOSED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "&": "and"}
    | {"\N{LATIN SMALL LETTER DOTLESS I}": "i"}
)
_ARTICLES = frozenset({"the", "a", "an"})


class Word(NamedTuple):
    """A folded word, and its span in the original text."""

    folded: str
    start: int
    end: int


def words(text: str) -> list[Word]:
    return [
        Word(folded, match.start(), match.end())
        for match in _WORD.finditer(text)
        if (folded := _fold_word(match[0]))
    ]


# Titles and names are folded again whenever someone rates a movie; 20,000 words are some MB.
@lru_cache(maxsize=20_000)
def _fold_word(word: str) -> str:
    # Twice: the decomposition of a letter may contain a capital (Unicode 3.13, D146).
    for _ in range(2):
        word = unicodedata.normalize("NFKD", word.casefold())
    letters = word.translate(_NOT_DECOMPOSED)
    return "".join(letter for letter in letters if letter.isalnum())


def fold(text: str) -> str:
    """Return the folded words, separated by spaces."""
    return " ".join(word.folded for word in words(text))


def without_article(folded_text: str) -> str:
    """Drop a leading article, unless it is the whole text."""
    first, _, rest = folded_text.partition(" ")
    return rest if rest and first in _ARTICLES else folded_text


def word_groups(text: str) -> list[list[Word]]:
    """Group words that no space separates: Spider-Man is one group, E.T. another."""
    all_words = words(text)
    if not all_words:
        return []
    groups = [[all_words[0]]]
    for before, word in pairwise(all_words):
        gap = text[before.end : word.start]
        if gap and not any(sign.isspace() for sign in gap):
            groups[-1].append(word)
        else:
            groups.append([word])
    return groups


def join_words(run: list[Word]) -> str:
    """Join the words of a group into one."""
    return "".join(word.folded for word in run)


def compounds(text: str) -> str:
    """The groups written as one word, so that "spiderman" or "mash" matches."""
    return " ".join(join_words(run) for run in word_groups(text) if len(run) > 1)


def without_spaces(text: str) -> list[str]:
    """The whole text without spaces, with and without its leading article."""
    whole = fold(text)
    return list(dict.fromkeys(part.replace(" ", "") for part in (whole, without_article(whole))))
