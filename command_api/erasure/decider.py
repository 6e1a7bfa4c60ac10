"""Rules for erasing a user."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from command_api.aggregate import Aggregate
from events.catalogue import UserErased
from events.stream_names import erasure_of


@dataclass(frozen=True, slots=True)
class EraseUser:
    user_id: UUID
    playlists: tuple[str, ...] = ()
    """The ids of all playlists that the user ever had."""
    has_more: bool = False
    """Whether the log has events of the user after the last ``UserErased``."""


@dataclass(frozen=True, slots=True)
class ErasureState:
    is_erased: bool = False


def decide(command: EraseUser, erasure: ErasureState) -> Sequence[UserErased]:
    """Return the event, unless it would repeat one that covers the whole log."""
    if erasure.is_erased and not command.has_more:
        return ()
    return (UserErased(user_id=command.user_id, playlists=command.playlists),)


def evolve(_before: ErasureState, event: UserErased) -> ErasureState:
    match event:
        case UserErased():
            return ErasureState(is_erased=True)


erasure: Aggregate[EraseUser, ErasureState, UserErased] = Aggregate(
    stream=lambda command: erasure_of(command.user_id),
    initial=ErasureState(),
    decide=decide,
    evolve=evolve,
)
