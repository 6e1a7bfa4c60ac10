"""Query parser: a typed query as folded word groups, and how many of them must match.

Every word must match the title, the cast or the year: exactly, as a prefix (the last word only) or
with typos; of more than three words one in five may miss. An exact title ranks first, and popular
movies a little above others.
"""

from typing import NamedTuple

from projectors.read_models.search.text_normalisation import Word, join_words, word_groups

LONGEST_WORD = 64
_MOST_WORDS = 16
_YEAR_LENGTH = 4
_ALL_MUST_FIT = 3
_ONE_TYPO_FROM, _TWO_TYPOS_FROM = 3, 6


class WordGroup(NamedTuple):
    """Folded words without a space between them."""

    words: tuple[str, ...]
    joined: str
    is_last: bool


class ParsedQuery(NamedTuple):
    """The folded words, bounded in number and length."""

    groups: tuple[WordGroup, ...]

    @property
    def text(self) -> str:
        """All words, separated by spaces."""
        return " ".join(word for group in self.groups for word in group.words)

    @property
    def title_and_year(self) -> tuple[str, int] | None:
        """Title and year, if the last word is a year."""
        title, _, last = self.text.rpartition(" ")
        year = year_of(last)
        return (title, year) if title and year is not None else None

    @property
    def minimum_matches(self) -> int:
        """How many groups must match."""
        count = len(self.groups)
        return count if count <= _ALL_MUST_FIT else count * 4 // 5


def parse(q: str) -> ParsedQuery:
    groups = bounded_word_groups(q)
    last = len(groups) - 1
    return ParsedQuery(
        tuple(
            WordGroup(tuple(word.folded for word in group), join_words(group), is_last=nth == last)
            for nth, group in enumerate(groups)
        )
    )


def year_of(word: str) -> int | None:
    """The year that a word may be."""
    is_year = len(word) == _YEAR_LENGTH and word.isascii() and word.isdecimal()
    return int(word) if is_year else None


def max_typos(word: str) -> int:
    """How many typos a word of that length may have."""
    return (len(word) >= _ONE_TYPO_FROM) + (len(word) >= _TWO_TYPOS_FROM)


def bounded_word_groups(q: str) -> list[list[Word]]:
    """The word groups that a search uses: the first words, without very long ones."""
    bounded: list[list[Word]] = []
    left = _MOST_WORDS
    for group in word_groups(q):
        short = [word for word in group if len(word.folded) <= LONGEST_WORD][:left]
        if short:
            bounded.append(short)
            left -= len(short)
    return bounded
