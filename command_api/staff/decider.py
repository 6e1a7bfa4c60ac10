"""Rules for granting and revoking the staff role."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from command_api.aggregate import Aggregate
from events.catalogue import StaffGranted, StaffRevoked
from events.recorded import Stream
from infra.errors import NotFound


@dataclass(frozen=True, slots=True)
class GrantStaff:
    user_id: UUID


@dataclass(frozen=True, slots=True)
class RevokeStaff:
    user_id: UUID


StaffCommand: TypeAlias = GrantStaff | RevokeStaff
StaffEvent: TypeAlias = StaffGranted | StaffRevoked


@dataclass(frozen=True, slots=True)
class StaffState:
    """Whether a user is staff, or ever was."""

    is_staff: bool = False
    has_been: bool = False


def decide(command: StaffCommand, staff: StaffState) -> Sequence[StaffEvent]:
    """Return the events that the command leads to; raises NotFound."""
    match command:
        case GrantStaff() if staff.is_staff:
            return ()
        case GrantStaff(user_id=user):
            return (StaffGranted(user_id=user),)
        case RevokeStaff() if not staff.has_been:
            raise NotFound("This user is not staff and never was.")
        case RevokeStaff() if not staff.is_staff:
            return ()
        case RevokeStaff(user_id=user):
            return (StaffRevoked(user_id=user),)


def evolve(_before: StaffState, event: StaffEvent) -> StaffState:
    match event:
        case StaffGranted():
            return StaffState(is_staff=True, has_been=True)
        case StaffRevoked():
            return StaffState(is_staff=False, has_been=True)


def stream_of(user_id: UUID) -> Stream:
    return Stream(f"staff-{user_id}", str(user_id))


staff: Aggregate[StaffCommand, StaffState, StaffEvent] = Aggregate(
    stream=lambda command: stream_of(command.user_id),
    initial=StaffState(),
    decide=decide,
    evolve=evolve,
)
