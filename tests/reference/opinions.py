"""Reference fold of all ratings."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from events.catalogue import MovieRated, RatingWithdrawn
from events.recorded import Recorded


@dataclass(frozen=True)
class Opinion:
    """A score, and when it was given."""

    score: int
    at: datetime


@dataclass(frozen=True)
class Change:
    """Somebody's opinion of a movie, before and after an event; None: no opinion."""

    user: UUID
    movie: int
    at: datetime
    before: Opinion | None
    after: Opinion | None


def changes(history: Iterable[Recorded]) -> Iterable[Change]:
    """Every event about an opinion, with the opinion that it found: nobody's word is taken for it.

    An event's own ``previous`` is what projections rely on, so here it is worth nothing.
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
        yield Change(user, movie, recorded.occurred_at, before, after)


def opinions(history: Iterable[Recorded]) -> dict[tuple[UUID, int], Opinion]:
    """What everybody thinks in the end, by person and movie."""
    last = {(change.user, change.movie): change.after for change in changes(history)}
    return {whose: opinion for whose, opinion in last.items() if opinion is not None}
