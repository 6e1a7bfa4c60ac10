"""When does it become an event that somebody is to be forgotten?"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from command_api.aggregate import Aggregate
from events.catalogue import UserErased
from events.stream_names import erasure_of


@dataclass(frozen=True, slots=True)
class EraseUser:
    """Forget somebody."""

    user_id: UUID
    playlists: tuple[str, ...] = ()
    """All that they ever had."""
    has_more: bool = False
    """Whether the log has more of them behind what said so before."""


@dataclass(frozen=True, slots=True)
class ErasureState:
    """Whether it was said."""

    is_said: bool = False


def decide(command: EraseUser, erasure: ErasureState) -> Sequence[UserErased]:
    """What the command leads to."""
    if erasure.is_said and not command.has_more:
        return ()
    return (UserErased(user_id=command.user_id, playlists=command.playlists),)


def evolve(_before: ErasureState, event: UserErased) -> ErasureState:
    """How it is after an event."""
    match event:
        case UserErased():
            return ErasureState(is_said=True)


erasure: Aggregate[EraseUser, ErasureState, UserErased] = Aggregate(
    stream=lambda command: erasure_of(command.user_id),
    initial=ErasureState(),
    decide=decide,
    evolve=evolve,
)
