"""Rules for rating a movie and withdrawing a rating."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from command_api.aggregate import Aggregate
from command_api.catalogue.decider import NO_NEW_OPINIONS
from events.catalogue import MovieRated, RatingEvent, RatingWithdrawn, Score
from events.recorded import Stream
from infra.errors import Conflict, Invalid, NotFound

LOWEST, HIGHEST = 1, 10


@dataclass(frozen=True, slots=True)
class RateMovie:
    """Give a movie a score, or change the score."""

    user_id: UUID
    movie_id: int
    score: Score
    is_withdrawn: bool = False
    """Whether the movie is."""


@dataclass(frozen=True, slots=True)
class WithdrawRating:
    user_id: UUID
    movie_id: int


RatingCommand: TypeAlias = RateMovie | WithdrawRating


@dataclass(frozen=True, slots=True)
class RatingState:
    """A user's rating of a movie; None if there is none."""

    score: Score | None = None


def decide(command: RatingCommand, current: RatingState) -> Sequence[RatingEvent]:
    """Return the events that the command leads to; raises Invalid, Conflict, NotFound."""
    match command:
        case RateMovie(score=score) if not LOWEST <= score <= HIGHEST:
            reason = f"A score is an integer from {LOWEST} to {HIGHEST}."
            raise Invalid("The score is invalid.", errors=[("score", reason)])
        case RateMovie(score=score) if score == current.score:
            return ()
        case RateMovie(is_withdrawn=True):
            raise Conflict(NO_NEW_OPINIONS)
        case RateMovie(user_id=user, movie_id=movie, score=score):
            previous = current.score
            return (MovieRated(user_id=user, movie_id=movie, score=score, previous=previous),)
        case WithdrawRating(user_id=user, movie_id=movie):
            if current.score is None:
                raise NotFound("You have not rated this movie.")
            return (RatingWithdrawn(user_id=user, movie_id=movie, previous=current.score),)


def evolve(_before: RatingState, event: RatingEvent) -> RatingState:
    match event:
        case MovieRated(score=score):
            return RatingState(score)
        case RatingWithdrawn():
            return RatingState()


def stream_prefix(user_id: UUID) -> str:
    """What the names of a user's streams begin with."""
    return f"rating-{user_id}-"


def stream(command: RatingCommand) -> Stream:
    return Stream(f"{stream_prefix(command.user_id)}{command.movie_id}", str(command.user_id))


rating: Aggregate[RatingCommand, RatingState, RatingEvent] = Aggregate(
    stream=stream, initial=RatingState(), decide=decide, evolve=evolve, expects_new_stream=True
)
