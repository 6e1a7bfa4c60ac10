"""Rules for logging out, once or everywhere."""

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


def test_log_out_revokes_one_log_in():
    assert decide(RevokeSession(ANN, PHONE, LATER), given(ended(LAPTOP))) == (ended(PHONE),)


def test_log_out_of_a_revoked_log_in_leads_to_no_event():
    assert decide(RevokeSession(ANN, PHONE, LATER), given(ended(PHONE))) == ()


def test_log_out_everywhere_starts_a_new_epoch():
    assert decide(RevokeSessions(ANN), given()) == (all_ended(1),)
    assert decide(RevokeSessions(ANN), given(all_ended(1), ended(PHONE))) == (all_ended(2),)


def test_new_epoch_forgets_single_revocations():
    assert given(ended(PHONE), ended(LAPTOP), all_ended(1)) == SessionsState(epoch=1)
