"""When is a movie hidden from a user's recommendations, and when is it shown again?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from command_api.aggregate import Aggregate
from command_api.catalogue.availability import AVAILABLE, Availability, refuse_withdrawn
from events.catalogue import MovieHidden, MovieUnhidden
from events.recorded import Stream
from infra.errors import NotFound


@dataclass(frozen=True, slots=True)
class HideMovie:
    """Never recommend a movie again."""

    user_id: UUID
    movie_id: int
    availability: Availability = AVAILABLE


@dataclass(frozen=True, slots=True)
class UnhideMovie:
    """Let it be recommended again."""

    user_id: UUID
    movie_id: int


HidingCommand: TypeAlias = HideMovie | UnhideMovie
HidingEvent: TypeAlias = MovieHidden | MovieUnhidden


@dataclass(frozen=True, slots=True)
class Hiding:
    """Whether a movie is hidden from a user's recommendations."""

    is_hidden: bool = False


def decide(command: HidingCommand, current: Hiding) -> Sequence[HidingEvent]:
    """What the command leads to, given how it is so far."""
    match command:
        case HideMovie() if current.is_hidden:
            return ()
        case HideMovie(user_id=user, movie_id=movie):
            refuse_withdrawn(command.availability)
            return (MovieHidden(user_id=user, movie_id=movie),)
        case UnhideMovie(user_id=user, movie_id=movie):
            if not current.is_hidden:
                raise NotFound("You have not hidden this movie.")
            return (MovieUnhidden(user_id=user, movie_id=movie),)


def evolve(_before: Hiding, event: HidingEvent) -> Hiding:
    """How it is after an event."""
    match event:
        case MovieHidden():
            return Hiding(is_hidden=True)
        case MovieUnhidden():
            return Hiding()


def stream(command: HidingCommand) -> Stream:
    """Where it is kept."""
    return Stream(f"hidden-{command.user_id}-{command.movie_id}", str(command.user_id))


hiding: Aggregate[HidingCommand, Hiding, HidingEvent] = Aggregate(
    stream=stream, initial=Hiding(), decide=decide, evolve=evolve, expects_new_stream=True
)
