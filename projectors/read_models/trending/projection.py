"""How much hotter does each event make a movie, and when?

A first rating makes a movie one degree hotter in its hour; a new score makes it no hotter. A
withdrawal makes it one degree cooler *in its own hour*: the event does not say when the rating was
given, and it may only add up. As newer hours weigh more, whatever one person does in whatever order
comes to between -1 and +1 degree for a movie, so nobody heats one by rating and withdrawing again
and again; what a withdrawal takes beyond what its rating still gave is the withdrawal's own say. A
movie's heat is never shown below zero.

What another source's board said is kept beside that, as it was the last time: it adds to no heat.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from events.catalogue import AnyEvent, MovieRated, RatingWithdrawn, TrendObserved, TrendWindow
from events.recorded import Recorded

_HOUR_SECONDS = 3600


class HeatChange(NamedTuple):
    """What some events together change."""

    ratings: dict[tuple[int, int], int]
    """(Hour, movie) -> how many more people rated it."""
    movies: set[int]
    """Everything that got votes or another score: its card looks different."""


class BoardObservation(msgspec.Struct, frozen=True, array_like=True):
    """What another source's board said, and when it was looked at."""

    source: str
    window: TrendWindow
    at: datetime
    movies: tuple[int, ...]


def observations(batch: Sequence[Recorded]) -> dict[str, BoardObservation]:
    """The last of each board; all of a board's are in one partition, in order."""
    return {
        event.board: BoardObservation(
            event.source, event.window, recorded.occurred_at, event.movies
        )
        for recorded in batch
        if isinstance(event := recorded.event, TrendObserved)
    }


def heat_delta(event: AnyEvent) -> tuple[int, int] | None:
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


def heat_changes(batch: Sequence[Recorded]) -> HeatChange:
    """What the events change, summed up."""
    ratings: dict[tuple[int, int], int] = {}
    movies: set[int] = set()
    for recorded in batch:
        if (found := heat_delta(recorded.event)) is None:
            continue
        movie, amount = found
        movies.add(movie)
        if amount:
            key = (hour_of(recorded.occurred_at), movie)
            ratings[key] = ratings.get(key, 0) + amount
    return HeatChange(ratings, movies)
