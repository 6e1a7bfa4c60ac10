"""When are two spellings of a title one name?"""

import unicodedata
from re import compile as pattern
from re import findall

LONGEST = 200
"""What comes after so many characters tells no titles apart, and would burst an index."""
_ARTICLE = pattern(r"\A(?:the|an?) (?=.)")


def key(name: str) -> str:
    """What two spellings of one name share: no accents, case or punctuation, and "and" for "&"."""
    plain = unicodedata.normalize("NFKD", name.replace("&", " and ")).casefold()
    letters = "".join(c for c in plain if not unicodedata.combining(c) and c not in "'\u2019.")
    return (" ".join(findall(r"\w+", letters)) or name.casefold())[:LONGEST]


def loose(name: str) -> str:
    """What spellings share that differ in blanks, or in the article that they begin with, too."""
    return _ARTICLE.sub("", key(name)).replace(" ", "")
