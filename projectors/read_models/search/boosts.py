"""Boosts: the score of each way in which a query can match.

Points. An exact word match scores BM25 times its boost, some tens for a rare word. All other
matches score a constant, so that a rare word with a typo never ranks above a prefix match.
"""

from collections.abc import Mapping, Sequence

AS_IT_IS: Mapping[str, float] = {"words": 4, "compounds": 3, "cast": 2}
BEGINNING: Mapping[str, float] = {"words": 4, "compounds": 3.5, "cast": 2.5}
TYPOS: Mapping[str, Sequence[float]] = {"words": (3, 2), "cast": (1.5, 1)}
"""With one letter wrong, with two."""
YEAR = 10.0
THERE = 8.0
"""For every word that is found at all: of more than three, one in five may miss."""

TITLE = 100.0
TITLE_IN_YEAR = 120.0
WITHOUT_ARTICLE = 0.6
"""What is left of that when an article more or less was typed."""
SPACED_OTHERWISE = 80.0
TITLE_NEARLY = 6.0
TITLE_BEGINS = 8.0
PHRASE = 2.0
"""Times BM25."""
