"""Search query and its result page."""

from typing import Literal, TypeAlias

import msgspec

SearchSort: TypeAlias = Literal["relevance", "popularity", "score", "year"]
SearchAfter: TypeAlias = tuple[int | float, ...]


class SearchQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A search. Without ``q`` every movie matches, and relevance means popularity."""

    q: str = ""
    genres: tuple[str, ...] = ()
    """All of them must match; names as in the catalogue."""
    year_from: int | None = None
    year_to: int | None = None
    min_score: float | None = None
    """Of the community's average; movies without ratings then don't match."""
    person: str | None = None
    """A whole name from the cast or a director's; accents and case don't matter."""
    sort: SearchSort = "relevance"
    limit: int = 20
    after: SearchAfter | None = None
    """``next`` of the page before, for the same query."""

    @property
    def order(self) -> SearchSort:
        return "popularity" if self.sort == "relevance" and not self.q.strip() else self.sort


class Hit(msgspec.Struct, frozen=True):
    """A matching movie, and its title as HTML with matches in <em>."""

    id: int
    highlight: str


class FacetCount(msgspec.Struct, frozen=True):
    """How many of all matches, not only of this page, share a facet value."""

    value: str
    count: int


class Hits(msgspec.Struct, frozen=True, kw_only=True):
    """A page of matches; ``next`` is None on the last one."""

    items: tuple[Hit, ...]
    total: int
    genres: tuple[FacetCount, ...]
    decades: tuple[FacetCount, ...]
    next: SearchAfter | None
