"""Rules for granting and revoking the staff role."""

from functools import reduce
from uuid import UUID

import pytest

from command_api.staff.decider import GrantStaff, RevokeStaff, StaffState, decide, evolve
from events.catalogue import StaffGranted, StaffRevoked
from infra.errors import NotFound

ANN = UUID(int=1)
GRANT, REVOKE = GrantStaff(ANN), RevokeStaff(ANN)
GRANTED, REVOKED = StaffGranted(user_id=ANN), StaffRevoked(user_id=ANN)


def given(*events):
    return reduce(evolve, events, StaffState())


@pytest.mark.parametrize(
    ("before", "command", "expected"),
    [
        ([], GRANT, (GRANTED,)),
        ([GRANTED], GRANT, ()),
        ([GRANTED], REVOKE, (REVOKED,)),
        ([GRANTED, REVOKED], REVOKE, ()),
        ([GRANTED, REVOKED], GRANT, (GRANTED,)),
    ],
)
def test_staff_commands_lead_to_events_only_on_change(before, command, expected):
    assert decide(command, given(*before)) == expected


def test_staff_revocation_of_a_user_who_never_was_staff_is_refused():
    with pytest.raises(NotFound):
        decide(REVOKE, given())


def test_staff_state_follows_grants_and_revocations():
    assert [given(*past).is_staff for past in ([], [GRANTED], [GRANTED, REVOKED])] == [
        False,
        True,
        False,
    ]
