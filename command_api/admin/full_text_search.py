"""Full-text search by words and prefixes, with a GIN index over to_tsvector without a language.

Sort results by an expression that no index has. PostgreSQL has no statistics on prefixes: it
assumes that a rare one is common, and would read all rows in the list's order to find a few.
"""

from re import findall
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import QuerySet

from command_api.catalogue.models import WORDS

_MOST, _LONGEST = 10, 50
"""Words of a search, and letters of a word."""


def rows_with_words(rows: QuerySet[Any, Any], field: str, text: str) -> QuerySet[Any, Any]:
    """The rows whose field contains every word of the text, at least as a prefix."""
    words = [word[:_LONGEST] for word in findall(r"[^\W_]+", text)[:_MOST]]
    if not words:
        return rows.none()
    query = SearchQuery(" & ".join(f"{word}:*" for word in words), config=WORDS, search_type="raw")
    with_words: QuerySet[Any, Any] = rows.alias(words=SearchVector(field, config=WORDS))
    return with_words.filter(words=query)
