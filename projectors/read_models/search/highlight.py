"""Highlighting: marks the words of a title that match a query."""

from html import escape

from projectors.read_models.search.query_parser import bounded_word_groups, max_typos
from projectors.read_models.search.text_normalisation import Word, join_words, word_groups, words


def highlight(title: str, q: str) -> str:
    """Return the title as safe HTML, with matches in <em>."""
    groups = bounded_word_groups(q)
    targets = [word.folded for run in groups for word in run] + [join_words(run) for run in groups]
    beginning = _beginning(title, groups)
    spans = [
        (word.start, word.end)
        for run in word_groups(title)
        for word in run
        if join_words(run) in targets
        or any(is_typo_of(word.folded, one) for one in targets)
        or (beginning and word.folded.startswith(beginning))
    ]
    return _with_em(title, spans)


def _beginning(title: str, groups: list[list[Word]]) -> str | None:
    """The word still being typed: the last one, unless the title has it whole."""
    if not groups:
        return None
    last = groups[-1][-1].folded
    return None if last in {word.folded for word in words(title)} else last


def _with_em(title: str, spans: list[tuple[int, int]]) -> str:
    parts: list[str] = []
    at = 0
    for start, end in spans:
        parts += (escape(title[at:start]), "<em>", escape(title[start:end]), "</em>")
        at = end
    parts.append(escape(title[at:]))
    return "".join(parts)


def is_typo_of(word: str, asked: str) -> bool:
    """Whether the index matches ``word`` for ``asked``: equal, or within the allowed typos."""
    if word == asked:
        return True
    allowed = max_typos(asked)
    if not allowed or word[0] != asked[0] or abs(len(word) - len(asked)) > allowed:
        return False
    return _distance(word, asked) <= allowed


def _distance(one: str, other: str) -> int:
    """Damerau-Levenshtein distance (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        older, before, row = before, row, [i]
        for j, b in enumerate(other, start=1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                best = min(best, older[j - 2] + 1)
            row.append(best)
    return row[-1]
