"""When does a movie become a favourite, and when is it none any more?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from command_api.aggregate import Aggregate
from command_api.catalogue.availability import AVAILABLE, Availability, refuse_withdrawn
from events.catalogue import MovieFavourited, MovieUnfavourited
from events.recorded import Stream
from infra.errors import NotFound


@dataclass(frozen=True, slots=True)
class FavouriteMovie:
    """Make a movie a favourite."""

    user_id: UUID
    movie_id: int
    availability: Availability = AVAILABLE


@dataclass(frozen=True, slots=True)
class UnfavouriteMovie:
    """Let it be none any more."""

    user_id: UUID
    movie_id: int


FavouriteCommand: TypeAlias = FavouriteMovie | UnfavouriteMovie
FavouriteEvent: TypeAlias = MovieFavourited | MovieUnfavourited


@dataclass(frozen=True, slots=True)
class Favourite:
    """Whether a movie is a user's favourite."""

    is_one: bool = False


def decide(command: FavouriteCommand, current: Favourite) -> Sequence[FavouriteEvent]:
    """What the command leads to, given how it is so far."""
    match command:
        case FavouriteMovie() if current.is_one:
            return ()
        case FavouriteMovie(user_id=user, movie_id=movie):
            refuse_withdrawn(command.availability)
            return (MovieFavourited(user_id=user, movie_id=movie),)
        case UnfavouriteMovie(user_id=user, movie_id=movie):
            if not current.is_one:
                raise NotFound("This movie is none of your favourites.")
            return (MovieUnfavourited(user_id=user, movie_id=movie),)


def evolve(_before: Favourite, event: FavouriteEvent) -> Favourite:
    """How it is after an event."""
    match event:
        case MovieFavourited():
            return Favourite(is_one=True)
        case MovieUnfavourited():
            return Favourite()


def stream(command: FavouriteCommand) -> Stream:
    """Where it is kept."""
    return Stream(f"favourite-{command.user_id}-{command.movie_id}", str(command.user_id))


favourite: Aggregate[FavouriteCommand, Favourite, FavouriteEvent] = Aggregate(
    stream=stream, initial=Favourite(), decide=decide, evolve=evolve, expects_new_stream=True
)
