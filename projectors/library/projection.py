"""What does each event say of a user's own ratings?"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from events.catalogue import MovieRated, RatingWithdrawn
from events.recorded import Recorded


class Rating(NamedTuple):
    """A user's score of a movie, and since when it is so."""

    movie: int
    score: int
    at: datetime


def changes(batch: Sequence[Recorded]) -> dict[str, dict[int, str | None]]:
    """User -> movie -> the packed rating it has after these events, or None for none any more."""
    found: dict[str, dict[int, str | None]] = {}
    for recorded in batch:
        match recorded.event:
            case MovieRated(user_id=user, movie_id=movie, score=score):
                found.setdefault(str(user), {})[movie] = packed(score, recorded.occurred_at)
            case RatingWithdrawn(user_id=user, movie_id=movie):
                found.setdefault(str(user), {})[movie] = None
            case _:  # not about ratings
                continue
    return found


def packed(score: int, at: datetime) -> str:
    """A score and its time in a few bytes: ``score:milliseconds``."""
    return f"{score}:{round(at.timestamp() * 1000)}"


def unpacked(movie: int, rating: bytes) -> Rating:
    """The rating that was packed."""
    score, _, milliseconds = rating.partition(b":")
    return Rating(movie, int(score), datetime.fromtimestamp(int(milliseconds) / 1000, UTC))
