"""When does someone become one of the staff, and when are they so no more?"""

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
    """Let someone be one of the staff."""

    user_id: UUID


@dataclass(frozen=True, slots=True)
class RevokeStaff:
    """Let them be so no more."""

    user_id: UUID


StaffCommand: TypeAlias = GrantStaff | RevokeStaff
StaffEvent: TypeAlias = StaffGranted | StaffRevoked


@dataclass(frozen=True, slots=True)
class StaffState:
    """Whether someone is one of the staff, or ever was."""

    is_staff: bool = False
    has_been: bool = False


def decide(command: StaffCommand, staff: StaffState) -> Sequence[StaffEvent]:
    """What the command leads to, given how it is so far."""
    match command:
        case GrantStaff() if staff.is_staff:
            return ()
        case GrantStaff(user_id=user):
            return (StaffGranted(user_id=user),)
        case RevokeStaff() if not staff.has_been:
            raise NotFound("They are not staff, and never were.")
        case RevokeStaff() if not staff.is_staff:
            return ()
        case RevokeStaff(user_id=user):
            return (StaffRevoked(user_id=user),)


def evolve(_before: StaffState, event: StaffEvent) -> StaffState:
    """How it is after an event."""
    match event:
        case StaffGranted():
            return StaffState(is_staff=True, has_been=True)
        case StaffRevoked():
            return StaffState(is_staff=False, has_been=True)


def stream_of(user_id: UUID) -> Stream:
    """Where it is kept."""
    return Stream(f"staff-{user_id}", str(user_id))


staff: Aggregate[StaffCommand, StaffState, StaffEvent] = Aggregate(
    stream=lambda command: stream_of(command.user_id),
    initial=StaffState(),
    decide=decide,
    evolve=evolve,
)
