"""Which rows hold these words, or words that begin so?

Answered by an index of words (GIN over to_tsvector), which knows no language: titles are of many.

What is found must be sorted by what no index is sorted by. PostgreSQL knows nothing of how words
begin: it takes a rare one for common, and would read all rows in the list's order to find a few.
"""

from re import findall
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import QuerySet

from command_api.catalogue.models import WORDS

_MOST, _LONGEST = 10, 50
"""Words of a search, and letters of a word; more tell nothing more."""


def holding(rows: QuerySet[Any, Any], field: str, text: str) -> QuerySet[Any, Any]:
    """Those of the rows whose field has a word that begins with each of the text's."""
    words = [word[:_LONGEST] for word in findall(r"[^\W_]+", text)[:_MOST]]
    if not words:
        return rows.none()
    asked = SearchQuery(" & ".join(f"{word}:*" for word in words), config=WORDS, search_type="raw")
    found: QuerySet[Any, Any] = rows.alias(words=SearchVector(field, config=WORDS))
    return found.filter(words=asked)
