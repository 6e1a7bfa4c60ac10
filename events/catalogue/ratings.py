"""Events of a user's rating of a movie."""

from typing import Annotated, TypeAlias
from uuid import UUID

from msgspec import Meta

from events.event import Event

Score: TypeAlias = Annotated[int, Meta(ge=1, le=10)]


class MovieRated(Event, frozen=True, kw_only=True, tag="movie-rated.v1"):
    """A user rated a movie, or changed their rating."""

    user_id: UUID
    movie_id: int
    score: Score
    previous: Score | None = None  # so a projector can correct a sum without a read


class RatingWithdrawn(Event, frozen=True, kw_only=True, tag="rating-withdrawn.v1"):
    """A user withdrew their rating."""

    user_id: UUID
    movie_id: int
    previous: Score


RatingEvent: TypeAlias = MovieRated | RatingWithdrawn
