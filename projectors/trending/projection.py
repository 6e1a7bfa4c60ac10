"""How much hotter does each event make a movie, and when?

A first rating makes a movie one degree hotter in its hour; a new score makes it no hotter. A
withdrawal makes it one degree cooler *in its own hour*: the event does not say when the rating was
given, and it may only add up. As newer hours weigh more, whatever one person does in whatever order
comes to between -1 and +1 degree for a movie, so nobody heats one by rating and withdrawing again
and again; what a withdrawal takes beyond what its rating still gave is the withdrawal's own say. A
movie's heat is never shown below zero.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from events.catalogue import AnyEvent, MovieRated, RatingWithdrawn
from events.recorded import Recorded

_HOUR_SECONDS = 3600


class Change(NamedTuple):
    """What some events together change."""

    ratings: dict[tuple[int, int], int]
    """(Hour, movie) -> how many more people rated it."""
    movies: set[int]
    """Everything that got votes or another score: its card looks different."""


def heat(event: AnyEvent) -> tuple[int, int] | None:
    """The movie and how much hotter it got, or None if the event says nothing about that."""
    match event:
        case MovieRated(movie_id=movie, previous=previous):
            return movie, 1 if previous is None else 0
        case RatingWithdrawn(movie_id=movie):
            return movie, -1
        case _:
            return None


def hour_of(at: datetime) -> int:
    """The hour, counted from 1970."""
    return int(at.timestamp()) // _HOUR_SECONDS


def changes(batch: Sequence[Recorded]) -> Change:
    """What the events change, summed up."""
    ratings: dict[tuple[int, int], int] = {}
    movies: set[int] = set()
    for recorded in batch:
        if (found := heat(recorded.event)) is None:
            continue
        movie, amount = found
        movies.add(movie)
        if amount:
            key = (hour_of(recorded.occurred_at), movie)
            ratings[key] = ratings.get(key, 0) + amount
    return Change(ratings, movies)
