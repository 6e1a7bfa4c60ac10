"""Grant and revoke of the staff role.

Access tokens carry the role. So a grant takes effect with the next token, and the caller of
``revoke`` must also end all log-ins.
"""

from uuid import UUID

from command_api import event_store
from command_api.aggregate import Handled, handle
from command_api.staff.decider import GrantStaff, RevokeStaff, StaffState, staff, stream_of
from events.recorded import Origin


def grant(user_id: UUID, *, origin: Origin) -> Handled[StaffState]:
    return handle(GrantStaff(user_id), staff, event_store.store(), origin=origin)


def revoke(user_id: UUID, *, origin: Origin) -> Handled[StaffState]:
    """End a user's staff role; raises NotFound if they never had it."""
    return handle(RevokeStaff(user_id), staff, event_store.store(), origin=origin)


def is_staff(user_id: UUID) -> bool:
    history = event_store.store().read(stream_of(user_id))
    return staff.state(history).is_staff
