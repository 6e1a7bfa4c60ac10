"""How does someone become one of the staff, and how does that end?

Access tokens say it, so a grant holds from the next one on, and an end must end all log-ins.
"""

from uuid import UUID

from command_api import event_store
from command_api.aggregate import Handled, handle
from command_api.staff.decider import GrantStaff, RevokeStaff, StaffState, staff, stream_of
from events.recorded import Origin


def grant(user_id: UUID, *, origin: Origin) -> Handled[StaffState]:
    """Let someone be one of the staff."""
    return handle(GrantStaff(user_id), staff, event_store.store(), origin=origin)


def revoke(user_id: UUID, *, origin: Origin) -> Handled[StaffState]:
    """Let them be so no more; raises NotFound for who never was."""
    return handle(RevokeStaff(user_id), staff, event_store.store(), origin=origin)


def is_staff(user_id: UUID) -> bool:
    """Whether someone is one of the staff now."""
    history = event_store.store().read(stream_of(user_id))
    return staff.state(history, since=staff.initial).is_staff
