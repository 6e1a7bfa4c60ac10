"""Which ends of log-ins are news?"""

from datetime import UTC, datetime
from functools import reduce
from uuid import UUID

from command_api.sessions.decider import (
    RevokeSession,
    RevokeSessions,
    SessionsState,
    decide,
    evolve,
)
from events.catalogue import SessionRevoked, SessionsRevoked

ANN, PHONE, LAPTOP = UUID(int=1), UUID(int=2), UUID(int=3)
LATER = datetime(2030, 1, 1, tzinfo=UTC)


def ended(family):
    return SessionRevoked(user_id=ANN, family=family, expires_at=LATER)


def all_ended(epoch):
    return SessionsRevoked(user_id=ANN, epoch=epoch)


def given(*events):
    return reduce(evolve, events, SessionsState())


def test_one_log_in_ends():
    assert decide(RevokeSession(ANN, PHONE, LATER), given(ended(LAPTOP))) == (ended(PHONE),)


def test_what_has_ended_does_not_end_again():
    assert decide(RevokeSession(ANN, PHONE, LATER), given(ended(PHONE))) == ()


def test_all_log_ins_end_with_a_new_epoch():
    assert decide(RevokeSessions(ANN), given()) == (all_ended(1),)
    assert decide(RevokeSessions(ANN), given(all_ended(1), ended(PHONE))) == (all_ended(2),)


def test_a_new_epoch_needs_to_remember_no_log_in():
    assert given(ended(PHONE), ended(LAPTOP), all_ended(1)) == SessionsState(epoch=1)
