"""Spelling correction: the likely spellings of a typed first word with one typo.

An extra letter and two swapped letters are undone without knowing any title. A wrong or a missing
one among the first letters is found in an index by symmetric deletion: its entries map beginnings
of known words, without one letter, to the beginnings. "gid" and "god" have the entry "gd" in
common. Later letters are corrected by the titles that fit so far.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import chain, islice

from projectors.read_models.suggestions.query_normalisation import MAX_QUERY_LENGTH

_SHORTEST, _LONGEST = 3, 12
"""Letters of a word that is corrected."""
MOST_SPELLINGS = 32
"""Spellings of one word that are looked up."""
_LONGEST_BEGINNING = 5
"""With five letters 36,000 titles have 31,000 entries, half a megabyte; with eight, 145,000."""
_MOST_BEGINNINGS = 64
"""Beginnings of one entry."""
ENTRY_MARK = "~"
"""Begins the names of the index's entries; no typed text has it, once folded."""


class SpellingIndex:
    """Known beginnings by what is left of them without one letter; the most frequent come first."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._frequency: Counter[str] = Counter()
        self._beginnings: defaultdict[str, list[str]] = defaultdict(list)
        self.add(texts)

    @property
    def entries(self) -> Collection[str]:
        """The names of all entries."""
        return self._beginnings.keys()

    def add(self, texts: Iterable[str]) -> Collection[str]:
        """Add the first words of texts; return the entries that changed."""
        changed: set[str] = set()
        for word, times in Counter(map(_first_word, texts)).items():
            for length in range(_SHORTEST, min(len(word), _LONGEST_BEGINNING) + 1):
                beginning = word[:length]
                entries = _entries(beginning)
                if beginning not in self._frequency:
                    for entry in entries:
                        self._beginnings[entry].append(beginning)
                self._frequency[beginning] += times
                changed.update(entries)
        return changed

    def pack(self, entry: str) -> bytes:
        """An entry as it is stored; ``unpack`` reads it."""
        frequency = self._frequency
        beginnings = sorted(self._beginnings[entry], key=lambda one: (-frequency[one], one))
        return " ".join(beginnings[:_MOST_BEGINNINGS]).encode()


def entries_for(text: str) -> list[str]:
    """The entries to look up for a typed text; none if its first word is too short or long."""
    first = _first_word(text)
    return _entries(first[:_LONGEST_BEGINNING]) if _SHORTEST <= len(first) <= _LONGEST else []


def unpack(entry: bytes | None) -> list[str]:
    return entry.decode().split() if entry else []


def spellings(text: str, titles: Iterable[str], beginnings: Iterable[str]) -> list[str]:
    """The text with other spellings of its first word.

    ``titles``: forms of those that fit so far; ``beginnings``: from the entries of the index.
    """
    first, space, rest = text.partition(" ")
    if not _SHORTEST <= len(first) <= _LONGEST:
        return []
    found = chain(
        _with_two_swapped(first),
        _without_one(first),
        (word for word in map(_first_word, titles) if _lacks_one_letter(first, word)),
        (word for beginning in beginnings for word in _corrected(first, beginning)),
    )
    others = (word for word in dict.fromkeys(found) if word != first)
    corrected = (f"{word}{space}{rest}" for word in islice(others, MOST_SPELLINGS))
    return [spelling[:MAX_QUERY_LENGTH] for spelling in corrected]


def _first_word(text: str) -> str:
    return text.partition(" ")[0]


def _entries(beginning: str) -> list[str]:
    return [ENTRY_MARK + left for left in dict.fromkeys(_without_one(beginning))]


def _without_one(word: str) -> Iterator[str]:
    return (word[:at] + word[at + 1 :] for at in range(len(word)))


def _with_two_swapped(word: str) -> Iterator[str]:
    return (word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1))


def _corrected(first: str, beginning: str) -> Iterator[str]:
    """The word with this beginning, if it has one wrong letter or lacks one."""
    size, at = len(beginning), _common_length(first, beginning)
    if at == size:
        return
    if first[at + 1 : size] == beginning[at + 1 :]:
        yield beginning + first[size:]
    if first[at : size - 1] == beginning[at + 1 :]:
        yield beginning + first[size - 1 :]


def _lacks_one_letter(first: str, word: str) -> bool:
    """Whether a known word begins with the typed one but for a wrong or a missing letter."""
    at = _common_length(first, word)
    if at == len(first):
        return False
    return word[at + 1 :].startswith((first[at + 1 :], first[at:]))


def _common_length(one: str, other: str) -> int:
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
