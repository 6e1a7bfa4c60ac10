"""Boosts: the score of each kind of match.

An exact word of a title scores BM25 times its boost, some tens for a rare word. All other matches
score a constant, so that a rare word with a typo never ranks above a prefix match, and that votes
or prominence order the movies of a person, not the length of their casts.
"""

from collections.abc import Mapping, Sequence

EXACT_WORD: Mapping[str, float] = {"words": 4, "compounds": 3}
CAST_WORD = 5.0
PREFIX: Mapping[str, float] = {"words": 4, "compounds": 3.5, "cast": 2.5}
TYPOS: Mapping[str, Sequence[float]] = {"words": (3, 2), "cast": (1.5, 1)}
"""With one wrong letter, and with two."""
YEAR = 10.0
WORD_FOUND = 8.0
"""Added for every word that matches at all, since in longer queries one in five may miss."""

PROMINENCE = 0.003
"""For each point of a movie without votes: less in all than the first vote, log10(2) = 0.301."""

TITLE = 100.0
TITLE_IN_YEAR = 120.0
WITHOUT_ARTICLE = 0.6
"""Factor for a title that differs by a leading article only."""
OTHER_SPACING = 80.0
TITLE_WITH_TYPOS = 6.0
TITLE_PREFIX = 8.0
PHRASE = 2.0
"""Factor of BM25."""
