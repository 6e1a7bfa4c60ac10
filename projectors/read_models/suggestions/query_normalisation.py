"""Query normalisation, the forms in which a title may be typed, and typo variants.

A title matches a prefix of itself, of its words from any word on, or of words joined by a sign,
written as one: "god" and "part ii", "spider m" and "spiderm".
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from projectors.read_models.search.text_normalisation import Word, fold, join_words, word_groups

MAX_QUERY_LENGTH = 40
"""In characters."""
_LEAST_WITH_TYPO = 3
_MOST_WITH_TYPO = 12
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def normalise_query(text: str) -> str:
    """Fold a query and cut it to the indexed length."""
    return fold(text)[:MAX_QUERY_LENGTH].rstrip()


def indexed_forms(title: str) -> list[str]:
    """All forms in which a title may be typed, whole; the first is the title itself."""
    groups = word_groups(title)
    words = [word.folded for group in groups for word in group]
    forms = dict.fromkeys(" ".join(words[nth:]) for nth in range(len(words)))
    for nth, group in enumerate(groups):
        if len(group) > 1:
            forms[_as_one(group, groups[nth + 1 :])] = None
    return [text[:MAX_QUERY_LENGTH] for text in forms]


def matches(title: str, text: str) -> bool:
    """Whether a typed text is a prefix of one of the title's forms."""
    return any(beginning.startswith(text) for beginning in _cached_forms(title))


# One typo leads to hundreds of variants, and they to the same few titles again and again.
@lru_cache(maxsize=10_000)
def _cached_forms(title: str) -> tuple[str, ...]:
    return tuple(indexed_forms(title))


def prefixes(text: str) -> list[str]:
    return [text[:length] for length in range(1, len(text) + 1)]


def typo_variants(text: str) -> Iterator[str]:
    """Yield variants of the text with one typo in its first word."""
    first, space, rest = text.partition(" ")
    if not _LEAST_WITH_TYPO <= len(first) <= _MOST_WITH_TYPO:
        return
    for word in dict.fromkeys(_single_edits(first)):
        if word != first:
            yield f"{word}{space}{rest}"


def _single_edits(word: str) -> Iterator[str]:
    """A letter too many, two letters changed round, a wrong letter, a letter too few."""
    for at in range(len(word)):
        yield word[:at] + word[at + 1 :]
        if at + 1 < len(word):
            yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    for at in range(len(word) + 1):
        for letter in _LETTERS:
            yield word[:at] + letter + word[at + 1 :]
            yield word[:at] + letter + word[at:]


def _as_one(group: list[Word], rest: Sequence[list[Word]]) -> str:
    return " ".join([join_words(group), *(word.folded for others in rest for word in others)])
