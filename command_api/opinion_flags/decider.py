"""Rules for the two flags a user can set on a movie: favourite and hidden."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from command_api.aggregate import Aggregate
from command_api.catalogue.decider import NO_NEW_OPINIONS
from events.catalogue import MovieFavourited, MovieHidden, MovieUnfavourited, MovieUnhidden
from events.recorded import Stream
from infra.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class SetFlag:
    user_id: UUID
    movie_id: int
    is_withdrawn: bool = False
    """Whether the movie is."""


@dataclass(frozen=True, slots=True)
class ClearFlag:
    user_id: UUID
    movie_id: int


class FavouriteMovie(SetFlag):
    """Make a movie a favourite."""


class UnfavouriteMovie(ClearFlag):
    """Remove a movie from the favourites."""


class HideMovie(SetFlag):
    """Stop recommending a movie."""


class UnhideMovie(ClearFlag):
    """Allow a movie to be recommended again."""


FlagCommand: TypeAlias = SetFlag | ClearFlag
FlagEvent: TypeAlias = MovieFavourited | MovieUnfavourited | MovieHidden | MovieUnhidden
FlagAggregate: TypeAlias = Aggregate[FlagCommand, "FlagState", FlagEvent]


@dataclass(frozen=True, slots=True)
class FlagState:
    is_set: bool = False


def _flag(
    stream_prefix: str,
    set_event: type[MovieFavourited | MovieHidden],
    cleared_event: type[MovieUnfavourited | MovieUnhidden],
    not_set: str,
) -> FlagAggregate:
    def stream(command: FlagCommand) -> Stream:
        name = f"{stream_prefix}-{command.user_id}-{command.movie_id}"
        return Stream(name, str(command.user_id))

    def decide(command: FlagCommand, current: FlagState) -> Sequence[FlagEvent]:
        match command:
            case SetFlag() if current.is_set:
                return ()
            case SetFlag(is_withdrawn=True):
                raise Conflict(NO_NEW_OPINIONS)
            case SetFlag(user_id=user, movie_id=movie):
                return (set_event(user_id=user, movie_id=movie),)
            case ClearFlag(user_id=user, movie_id=movie):
                if not current.is_set:
                    raise NotFound(not_set)
                return (cleared_event(user_id=user, movie_id=movie),)

    return Aggregate(
        stream=stream, initial=FlagState(), decide=decide, evolve=_evolve, expects_new_stream=True
    )


def _evolve(_before: FlagState, event: FlagEvent) -> FlagState:
    match event:
        case MovieFavourited() | MovieHidden():
            return FlagState(is_set=True)
        case MovieUnfavourited() | MovieUnhidden():
            return FlagState()


favourite = _flag(
    "favourite", MovieFavourited, MovieUnfavourited, "This movie is not one of your favourites."
)
hidden = _flag("hidden", MovieHidden, MovieUnhidden, "You have not hidden this movie.")
