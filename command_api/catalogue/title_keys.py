"""Title keys: normal forms that are equal for different spellings of a title."""

import re
import unicodedata

LONGEST = 200
"""More characters don't distinguish titles and exceed the size of an index entry."""
_ARTICLE = re.compile(r"\A(?:the|an?) (?=.)")


def key(name: str) -> str:
    """The title without accents, case and punctuation, and with "and" for "&"."""
    plain = unicodedata.normalize("NFKD", name.replace("&", " and ")).casefold()
    letters = "".join(c for c in plain if not unicodedata.combining(c) and c not in "'\u2019.")
    return (" ".join(re.findall(r"\w+", letters)) or name.casefold())[:LONGEST]


def loose(name: str) -> str:
    """The key without blanks and leading article."""
    return _ARTICLE.sub("", key(name)).replace(" ", "")
