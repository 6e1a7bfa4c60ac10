"""Session revocations: which access tokens stay valid."""

from datetime import timedelta
from uuid import UUID

import pytest

from events.catalogue import SessionRevoked, SessionsRevoked, UserErased
from projectors.read_models.sessions.read_model import SessionRevocations, is_valid
from tests.fixtures import model_access
from tests.fixtures.recording import NOON

ANN, BOB = UUID(int=1), UUID(int=2)
PHONE, LAPTOP = UUID(int=11), UUID(int=12)
LATER = NOON + timedelta(minutes=10)


def left(user, family):
    return SessionRevoked(user_id=user, family=family, expires_at=LATER)


@pytest.fixture
def valid(redis, recording):
    sessions = SessionRevocations(redis, 1)

    def valid(events, user, family, epoch, *, at=NOON):
        for event in events:
            model_access.apply(sessions, [recording.record(event)])
        with redis.pipeline(transaction=False) as pipe:
            sessions.enqueue(pipe, user)
            [revoked] = pipe.execute()
        return is_valid(revoked, family, epoch, at)

    return valid


def test_token_is_valid_without_revocations(valid):
    assert valid([], ANN, PHONE, 0)


def test_revoked_family_invalidates_its_tokens_only(valid):
    assert not valid([left(ANN, PHONE)], ANN, PHONE, 0)
    assert valid([], ANN, LAPTOP, 0)
    assert valid([], BOB, PHONE, 0)


def test_new_epoch_invalidates_older_tokens(valid):
    assert not valid([SessionsRevoked(user_id=ANN, epoch=1)], ANN, PHONE, 0)
    assert valid([], ANN, PHONE, 1)
    assert valid([], BOB, PHONE, 0)


def test_family_revoked_after_new_epoch_stays_revoked(valid):
    assert not valid([SessionsRevoked(user_id=ANN, epoch=1), left(ANN, PHONE)], ANN, PHONE, 1)
    assert valid([], ANN, LAPTOP, 1)


def test_new_epoch_drops_revoked_families(redis, recording):
    sessions = SessionRevocations(redis, 1)
    for event in (left(ANN, PHONE), left(ANN, LAPTOP), SessionsRevoked(user_id=ANN, epoch=1)):
        model_access.apply(sessions, [recording.record(event)])
    assert model_access.revoked(sessions, ANN) == {b"epoch": b"1"}


def test_erased_users_tokens_are_invalid(valid):
    assert not valid([UserErased(user_id=ANN)], ANN, PHONE, 99)
    assert valid([], BOB, PHONE, 0)


def test_erasure_drops_revoked_families(redis, recording):
    sessions = SessionRevocations(redis, 1)
    for event in (SessionsRevoked(user_id=ANN, epoch=1), left(ANN, PHONE), UserErased(user_id=ANN)):
        model_access.apply(sessions, [recording.record(event)])
    assert model_access.revoked(sessions, ANN) == {b"erased": b"1"}
