"""Projection of trending: heat by movie and hour, and other sources' boards.

A first rating adds one degree to a movie in its hour; a new score adds none. A withdrawal takes one
degree *in its own hour*: the event does not say when the rating was given, and counts may only be
added to. Newer hours weigh more, so one person's events in any order add between -1 and +1 degree
to a movie, and rating and withdrawing repeatedly gains nothing. A movie's heat is never shown below
zero.

The last observation of another source's board is kept beside that; it adds no heat.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from events.catalogue import AnyEvent, MovieRated, RatingWithdrawn, TrendObserved, TrendWindow
from events.recorded import Recorded

_HOUR_SECONDS = 3600


class HeatChange(NamedTuple):
    """The sum of a batch's changes."""

    ratings: dict[tuple[int, int], int]
    """(Hour, movie) -> delta of new ratings."""
    movies: set[int]
    """Movies with any change of votes: their cards look different."""


class BoardObservation(msgspec.Struct, frozen=True, array_like=True):
    """Another source's board, and when it was read."""

    source: str
    window: TrendWindow
    at: datetime
    movies: tuple[int, ...]


def observations(batch: Sequence[Recorded]) -> dict[str, BoardObservation]:
    """Last observation of each board; all of a board's are in one partition, in order."""
    return {
        event.board: BoardObservation(
            event.source, event.window, recorded.occurred_at, event.movies
        )
        for recorded in batch
        if isinstance(event := recorded.event, TrendObserved)
    }


def heat_delta(event: AnyEvent) -> tuple[int, int] | None:
    """Return the movie and its heat delta in degrees; None if the event has none."""
    match event:
        case MovieRated(movie_id=movie, previous=previous):
            return movie, 1 if previous is None else 0
        case RatingWithdrawn(movie_id=movie):
            return movie, -1
        case _:
            return None


def hour_of(at: datetime) -> int:
    """Hours since 1970."""
    return int(at.timestamp()) // _HOUR_SECONDS


def heat_changes(batch: Sequence[Recorded]) -> HeatChange:
    ratings: dict[tuple[int, int], int] = {}
    movies: set[int] = set()
    for recorded in batch:
        if (delta := heat_delta(recorded.event)) is None:
            continue
        movie, amount = delta
        movies.add(movie)
        if amount:
            key = (hour_of(recorded.occurred_at), movie)
            ratings[key] = ratings.get(key, 0) + amount
    return HeatChange(ratings, movies)
