"""manage.py grant_staff: from the next token on, until it is revoked."""

from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError

from command_api.http import token_revocation
from command_api.sessions import logout
from events.vault import refresh_families
from tests.command_api.conftest import ALIEN, bearer, identity, log_rows

pytestmark = pytest.mark.django_db(databases=["default", "vault"])


def grant(*arguments: str) -> str:
    out = StringIO()
    call_command("grant_staff", *arguments, stdout=out)
    return out.getvalue()


def says_staff(answer) -> bool:
    assert answer.status_code == 200, answer.content
    return identity(answer).is_staff


def refresh(api, answer):
    return api("POST", "/v1/tokens/refresh", {"refresh": answer.json()["refresh"]})


def staff_events() -> list[str]:
    return [type_ for type_, _ in log_rows() if type_.startswith("staff")]


@pytest.mark.parametrize("how", ["name", "address", "id"])
def test_grant_finds_the_user_by_name_address_or_id(register, log_in, how):
    user_id = register("Ann").json()["id"]
    output = grant({"name": "ann", "address": "ANN@example.org", "id": user_id}[how])
    assert user_id in output
    assert "next log-in or refresh" in output
    assert says_staff(log_in("ann"))


def test_grant_takes_effect_with_the_next_token(api, register, log_in):
    register()
    before = log_in()
    assert not says_staff(before)
    grant("ann")
    assert says_staff(refresh(api, before))
    assert says_staff(log_in())


def test_grant_affects_no_other_user(register, log_in):
    register("ann")
    register("bob")
    grant("ann")
    assert not says_staff(log_in("bob"))


def test_grant_repeated_changes_nothing(register):
    register()
    grant("ann")
    assert "already" in grant("ann")
    assert staff_events() == ["staff-granted.v1"]


def test_staff_revocation_ends_all_log_ins(api, register, log_in):
    register()
    grant("ann")
    phone, laptop = log_in(), log_in()
    assert "ended" in grant("ann", "--revoke")
    for session in (phone, laptop):
        assert api.rate(ALIEN, 8, by=bearer(session)).status_code == 401
        assert refresh(api, session).status_code == 401
    assert not says_staff(log_in())
    assert sorted(staff_events()) == ["staff-granted.v1", "staff-revoked.v1"]


def test_staff_revocation_interrupted_is_completed_by_the_next(api, register, log_in, monkeypatch):
    register()
    grant("ann")
    before = log_in()

    def raise_unavailable(*_args):
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(logout, "end_all_sessions", lambda *_, **__: raise_unavailable())
        with pytest.raises(OperationalError):
            grant("ann", "--revoke")
    assert api.rate(ALIEN, 8, by=bearer(before)).status_code == 200
    grant("ann", "--revoke")
    assert api.rate(ALIEN, 8, by=bearer(before)).status_code == 401
    assert staff_events().count("staff-revoked.v1") == 1


def test_token_made_during_a_staff_revocation_does_not_survive_it(register, log_in, monkeypatch):
    """The revocation happens during a log-in, between reading the epoch and minting the token."""
    register()
    grant("ann")
    begin = refresh_families.create

    def revoke_after_reading_epoch(*args, **more):
        monkeypatch.setattr(refresh_families, "create", begin)
        grant("ann", "--revoke")
        return begin(*args, **more)

    monkeypatch.setattr(refresh_families, "create", revoke_after_reading_epoch)
    tokens = log_in()
    assert not says_staff(tokens)
    assert identity(tokens).epoch == 0  # the old epoch: queries refuse it, too


def test_grant_to_an_unknown_user_fails(register):
    register()
    for unknown in ("bob", "bob@example.org", str(uuid4())):
        with pytest.raises(CommandError, match=f"No user is registered as {unknown}"):
            grant(unknown)
    with pytest.raises(CommandError, match="never was"):
        grant("ann", "--revoke")
    assert staff_events() == []


@pytest.fixture(autouse=True)
def _fresh():
    token_revocation.clear_cache()
