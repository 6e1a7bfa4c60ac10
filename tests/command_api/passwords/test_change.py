"""Password change: ends all log-ins, also concurrent ones."""

import threading

import pytest

from command_api.accounts import password_hashing
from command_api.sessions import logout
from events.vault import subjects
from tests.command_api.conftest import ALIEN, PASSWORD, Api, bearer, fields, in_thread, log_rows
from tests.command_api.sessions.test_api import raise_unavailable, refresh

OTHER = "a whiter shade of pale"


def change(api, by, *, old=PASSWORD, new=OTHER):
    return api("POST", "/v1/me/password", {"old": old, "new": new}, by=by)


def test_password_change_ends_all_log_ins(api, register, log_in):
    register()
    phone, laptop = log_in(), log_in()
    answer = change(api, bearer(phone))
    assert answer.status_code == 204
    assert answer.headers["Log-Position"]
    assert [type_ for type_, _ in log_rows()][-1] == "sessions-revoked.v1"
    for session in (phone, laptop):
        assert api.rate(ALIEN, 8, by=bearer(session)).status_code == 401
        assert refresh(api, session.json()["refresh"]).status_code == 401
    assert log_in().status_code == 401
    assert api.rate(ALIEN, 8, by=bearer(log_in(password=OTHER))).status_code == 200


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("not that one", OTHER, "old"),
        (PASSWORD, "short", "new"),
        (PASSWORD, "password123", "new"),
        (PASSWORD, "ann@example.org", "new"),
    ],
)
def test_password_change_that_is_refused_changes_nothing(api, register, log_in, old, new, wrong):
    register()
    me = log_in()
    answer = change(api, bearer(me), old=old, new=new)
    assert (answer.status_code, fields(answer)) == (422, [wrong])
    assert api.rate(ALIEN, 8, by=bearer(me)).status_code == 200
    assert log_in().status_code == 200


def test_password_change_attempts_are_rate_limited(api, register, log_in):
    register()
    me = bearer(log_in())
    statuses = [change(api, me, old="x", new="short").status_code for _ in range(25)]
    assert 429 in statuses  # at most two windows of ten each


def test_password_change_interrupted_keeps_the_old_password_and_no_log_in(
    api, register, log_in, monkeypatch
):
    register()
    me = log_in()
    with monkeypatch.context() as patch:
        patch.setattr(subjects, "raise_epoch", raise_unavailable)
        assert change(api, bearer(me)).status_code == 503
    assert log_in(password=OTHER).status_code == 401
    assert refresh(api, me.json()["refresh"]).status_code == 401
    assert log_in().status_code == 200


def test_concurrent_log_in_with_the_old_password_does_not_survive(register, log_in, monkeypatch):
    """The log-in verifies the old password, it is changed, then the log-in opens its session."""
    register()
    me = bearer(log_in())
    compare, end_all = password_hashing.is_correct, logout.end_all_sessions
    compared, changed = threading.Event(), threading.Event()
    statuses = []

    def change_password_after_check(password, password_hash):
        is_correct = compare(password, password_hash)
        if threading.current_thread().name == "late":
            compared.set()
            changed.wait(60)
        return is_correct

    def pause_before_commit(*args, **more):
        ended = end_all(*args, **more)
        changed.set()  # not committed yet, so the log-in has to wait
        return ended

    monkeypatch.setattr(password_hashing, "is_correct", change_password_after_check)
    monkeypatch.setattr(logout, "end_all_sessions", pause_before_commit)

    def log_in_late():
        answer = Api()("POST", "/v1/tokens", {"login": "ann", "password": PASSWORD})
        statuses.append(answer.status_code)

    log_in_thread = threading.Thread(target=in_thread(log_in_late), name="late")
    log_in_thread.start()
    assert compared.wait(60)
    assert change(Api(), me).status_code == 204
    log_in_thread.join(60)
    assert statuses == [401]
