"""Projection of suggestions: titles, rating counts and availability."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from events.catalogue import (
    AnyEvent,
    MovieAdded,
    MovieDescribed,
    MovieRated,
    MovieRestored,
    MovieWithdrawn,
    RatingWithdrawn,
)


class Suggestion(msgspec.Struct, frozen=True):
    id: int
    title: str
    year: int | None


class RankedSuggestion(Suggestion, frozen=True, omit_defaults=True):
    """A suggestion, and what orders those that nobody rated."""

    prominence: int = 0

    def shown(self) -> Suggestion:
        """The part that is answered."""
        return Suggestion(self.id, self.title, self.year)


class SuggestionChange(msgspec.Struct, kw_only=True):
    """The sum of a batch's changes to one movie."""

    suggestion: RankedSuggestion | None = None
    rating_count_delta: int | None = None
    """None: no event changed it."""
    is_listed: bool | None = None
    """None: no event changed it."""


def suggestion_changes(events: Sequence[AnyEvent]) -> Mapping[int, SuggestionChange]:
    """Sum up one partition's events, in order, by movie."""
    changes: defaultdict[int, SuggestionChange] = defaultdict(SuggestionChange)
    for event in events:
        match event:
            case MovieRated(movie_id=movie, previous=None):
                _count(changes[movie], 1)
            case RatingWithdrawn(movie_id=movie):
                _count(changes[movie], -1)
            case MovieAdded() | MovieDescribed():
                changes[event.movie_id].suggestion = RankedSuggestion(
                    event.movie_id, event.title, event.year, event.prominence or 0
                )
            case MovieWithdrawn(movie_id=movie):
                changes[movie].is_listed = False
            case MovieRestored(movie_id=movie):
                changes[movie].is_listed = True
            case _:  # not about suggestions
                continue
    return changes


def _count(change: SuggestionChange, amount: int) -> None:
    change.rating_count_delta = (change.rating_count_delta or 0) + amount
