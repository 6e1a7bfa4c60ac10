"""When is it news that someone is one of the staff?"""

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
    ("before", "wish", "news"),
    [
        ([], GRANT, (GRANTED,)),
        ([GRANTED], GRANT, ()),
        ([GRANTED], REVOKE, (REVOKED,)),
        ([GRANTED, REVOKED], REVOKE, ()),
        ([GRANTED, REVOKED], GRANT, (GRANTED,)),
    ],
)
def test_what_is_news(before, wish, news):
    assert decide(wish, given(*before)) == news


def test_who_never_was_cannot_be_it_no_more():
    with pytest.raises(NotFound):
        decide(REVOKE, given())


def test_who_is_it():
    assert [given(*past).is_staff for past in ([], [GRANTED], [GRANTED, REVOKED])] == [
        False,
        True,
        False,
    ]
