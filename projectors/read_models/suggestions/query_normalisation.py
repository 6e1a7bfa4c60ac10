"""Query normalisation, and the forms in which a title may be typed.

A title matches a prefix of itself, of its words from any word on, or of words joined by a sign,
written as one: "god" and "part ii", "spider m" and "spiderm".
"""

from collections.abc import Sequence
from functools import lru_cache

from projectors.read_models.search.text_normalisation import fold, join_words, word_groups

MAX_QUERY_LENGTH = 40
"""In characters."""


def normalise_query(text: str) -> str:
    """Fold a query and cut it to the indexed length."""
    return fold(text)[:MAX_QUERY_LENGTH].rstrip()


def indexed_forms(title: str) -> list[str]:
    """All forms in which a title may be typed, cut to the indexed length; the title comes first."""
    groups = word_groups(title)
    words = [word.folded for group in groups for word in group]
    forms = [_form(words[nth : nth + MAX_QUERY_LENGTH]) for nth in range(len(words))]
    behind = 0
    for group in groups:
        behind += len(group)
        if len(group) > 1:
            rest = words[behind : behind + MAX_QUERY_LENGTH]
            forms.append(_form([join_words(group), *rest]))
    return list(dict.fromkeys(forms))


def _form(words: Sequence[str]) -> str:
    return " ".join(words)[:MAX_QUERY_LENGTH]


def matches(title: str, text: str) -> bool:
    """Whether a typed text is a prefix of one of the title's forms."""
    return any(beginning.startswith(text) for beginning in cached_forms(title))


# The spellings of a word with a typo lead to the same few titles again and again.
@lru_cache(maxsize=10_000)
def cached_forms(title: str) -> tuple[str, ...]:
    """As ``indexed_forms``, remembered."""
    return tuple(indexed_forms(title))


def prefixes(text: str) -> list[str]:
    return [text[:length] for length in range(1, len(text) + 1)]
