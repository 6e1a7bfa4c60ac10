"""Log-in, refresh and log-out over HTTP."""

import json
import threading

import pytest
from django.db import OperationalError, connections

from command_api.http import token_revocation
from command_api.sessions import logout
from events.vault import refresh_families, subjects
from tests.command_api.conftest import ALIEN, PASSWORD, Api, bearer, identity, in_thread, log_rows


def refresh(api, token):
    return api("POST", "/v1/tokens/refresh", {"refresh": token})


def revoke(api, token):
    return api("POST", "/v1/tokens/revoke", {"refresh": token})


def raise_unavailable(*_args):
    raise OperationalError("the vault is away")


def revocations():
    return [json.loads(data) for type_, data in log_rows() if type_.startswith("session")]


def test_log_in_accepts_a_name_or_an_address(api, register, log_in):
    user_id = register("Ann.Lee", email="Ann@Example.org").json()["id"]
    for login in ("Ann.Lee", "ann.lee", "ann@example.ORG"):
        answer = log_in(login)
        assert (answer.status_code, set(answer.json())) == (200, {"access", "refresh"})
        assert str(bearer(answer).user_id) == user_id
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Log-Position"]
        assert api.rate(ALIEN, 8, by=bearer(answer)).status_code == 200


def test_log_in_answers_the_same_for_unknown_names(register, log_in):
    register("ann")
    unknown, wrong = log_in("nobody"), log_in("ann", "wrong password")
    assert unknown.status_code == wrong.status_code == 401
    assert unknown.content == wrong.content


def test_log_in_attempts_are_rate_limited(log_in, monkeypatch):
    statuses = [log_in("nobody", "x").status_code for _ in range(25)]
    assert 429 in statuses  # at most two windows of ten each


def test_refresh_token_works_once(api, register, log_in):
    register()
    first = log_in()
    second = refresh(api, first.json()["refresh"])
    assert second.status_code == 200
    assert second.json()["refresh"] != first.json()["refresh"]
    assert revocations() == []
    third = refresh(api, second.json()["refresh"])
    assert api.rate(ALIEN, 8, by=bearer(third)).status_code == 200


def test_refresh_token_used_again_ends_its_log_in(api, register, log_in):
    register()
    stolen, other_session = log_in(), log_in()
    current = refresh(api, stolen.json()["refresh"])
    assert refresh(api, stolen.json()["refresh"]).status_code == 401
    assert refresh(api, current.json()["refresh"]).status_code == 401
    assert api.rate(ALIEN, 8, by=bearer(current)).status_code == 401
    assert api.rate(ALIEN, 8, by=bearer(other_session)).status_code == 200
    [revoked] = revocations()
    assert revoked["family"] == str(identity(current).family)


def test_concurrent_refreshes_of_one_token_have_at_most_one_winner(api, register, log_in):
    register()
    token = log_in().json()["refresh"]
    statuses: list[int] = []
    work = in_thread(lambda: statuses.append(refresh(Api(), token).status_code))
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(statuses) == [200, 401, 401, 401]
    assert len(revocations()) == 1


def test_log_out_ends_one_log_in(api, register, log_in):
    register()
    session, other_session = log_in(), log_in()
    answer = revoke(api, session.json()["refresh"])
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Log-Position"]
    assert api.rate(ALIEN, 8, by=bearer(session)).status_code == 401
    assert refresh(api, session.json()["refresh"]).status_code == 401
    assert api.rate(ALIEN, 8, by=bearer(other_session)).status_code == 200
    assert revoke(api, session.json()["refresh"]).status_code == 204
    assert len(revocations()) == 1


def test_log_out_everywhere_ends_all_log_ins(api, register, log_in):
    register()
    phone, laptop = log_in(), log_in()
    answer = api("POST", "/v1/tokens/revoke-all", by=bearer(phone))
    assert answer.status_code == 204
    for session in (phone, laptop):
        assert api.rate(ALIEN, 8, by=bearer(session)).status_code == 401
        assert refresh(api, session.json()["refresh"]).status_code == 401
    assert [event["epoch"] for event in revocations()] == [1]
    assert api.rate(ALIEN, 8, by=bearer(log_in())).status_code == 200


@pytest.mark.parametrize("missed", ["revoke_all", "raise_epoch"])
def test_log_out_everywhere_is_completed_when_the_vault_failed(
    api, register, log_in, monkeypatch, missed
):
    register()
    before = log_in()
    with monkeypatch.context() as patch:
        module = refresh_families if missed == "revoke_all" else subjects
        patch.setattr(module, missed, raise_unavailable)
        assert api("POST", "/v1/tokens/revoke-all", by=bearer(before)).status_code == 503
    assert refresh(api, before.json()["refresh"]).status_code == 401
    token_revocation.clear_cache()  # as after a second
    assert api.rate(ALIEN, 8, by=bearer(before)).status_code == 401
    after = log_in()
    assert identity(after).epoch == 1  # otherwise queries would refuse the token
    assert api.rate(ALIEN, 8, by=bearer(after)).status_code == 200
    assert refresh(api, after.json()["refresh"]).status_code == 200


def test_log_in_completes_a_log_out_everywhere_that_the_vault_missed(
    api, register, log_in, monkeypatch
):
    register()
    before = log_in()
    with monkeypatch.context() as patch:
        patch.setattr(refresh_families, "revoke_all", raise_unavailable)
        api("POST", "/v1/tokens/revoke-all", by=bearer(before))
    assert identity(log_in()).epoch == 1
    assert refresh(api, before.json()["refresh"]).status_code == 401


def test_revocation_by_another_process_takes_effect_within_a_second(api, register, log_in):
    register()
    me = bearer(log_in())
    assert api.rate(ALIEN, 8, by=me).status_code == 200
    with connections["vault"].cursor() as cursor:  # as another process would
        cursor.execute("UPDATE families SET revoked_at = now()")
    cache = token_revocation._cache
    [family] = cache
    cache[family] = (cache[family][0] - token_revocation.FRESH_SECONDS, cache[family][1])
    assert api.rate(ALIEN, 8, by=me).status_code == 401


def test_expired_log_in_cannot_be_refreshed(api, register, log_in):
    register()
    token = log_in().json()["refresh"]
    with connections["vault"].cursor() as cursor:
        cursor.execute("UPDATE families SET expires_at = now() - interval '1 second'")
    assert refresh(api, token).status_code == 401


def test_log_ins_are_deleted_only_after_they_expired(api, register, log_in):
    register()
    log_in()
    assert logout.delete_ended() == 0
    with connections["vault"].cursor() as cursor:
        cursor.execute("UPDATE families SET expires_at = now() - interval '1 day'")
    assert logout.delete_ended() == 1


@pytest.mark.parametrize("token", ["", "nonsense", "x" * 201, 7, None])
def test_malformed_refresh_token_is_refused(api, token):
    assert refresh(api, token).status_code in (401, 422)
    assert revoke(api, token).status_code in (401, 422)


def test_idempotency_key_does_not_store_tokens(api, register):
    register()
    body = {"login": "ann", "password": PASSWORD}
    answers = [api("POST", "/v1/tokens", body, Idempotency_Key="k") for _ in range(2)]
    assert answers[0].json()["refresh"] != answers[1].json()["refresh"]


def test_published_keys_verify_access_tokens(api):
    answer = api("GET", "/.well-known/jwks.json")
    [key] = answer.json()["keys"]
    assert (key["alg"], key["use"], "d" in key) == ("RS256", "sig", False)
