"""Reference fold of all ratings."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from events.catalogue import MovieRated, RatingWithdrawn
from events.recorded import Recorded


@dataclass(frozen=True)
class Opinion:
    """A score, and the time of the rating."""

    score: int
    at: datetime


@dataclass(frozen=True)
class RatingChange:
    """A user's rating of a movie, before and after an event; None: no rating."""

    user: UUID
    movie: int
    at: datetime
    before: Opinion | None
    after: Opinion | None


def changes(history: Iterable[Recorded]) -> Iterable[RatingChange]:
    """Every rating event with the rating before it, computed without the event's ``previous``.

    Projections rely on ``previous``, so the reference must not.
    """
    opinions: dict[tuple[UUID, int], Opinion] = {}
    for recorded in history:
        match recorded.event:
            case MovieRated(user_id=user, movie_id=movie, score=score):
                after: Opinion | None = Opinion(score, recorded.occurred_at)
            case RatingWithdrawn(user_id=user, movie_id=movie):
                after = None
            case _:
                continue
        before = opinions.pop((user, movie), None)
        if after is not None:
            opinions[user, movie] = after
        yield RatingChange(user, movie, recorded.occurred_at, before, after)


def opinions(history: Iterable[Recorded]) -> dict[tuple[UUID, int], Opinion]:
    """All ratings in the end, by user and movie."""
    last = {(change.user, change.movie): change.after for change in changes(history)}
    return {
        user_and_movie: opinion for user_and_movie, opinion in last.items() if opinion is not None
    }
