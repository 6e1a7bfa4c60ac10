"""Erasure over HTTP: what is destroyed at once, and the status link."""

import json
from uuid import uuid4

import pytest
from django.db import OperationalError, connection, connections

from command_api import event_store
from command_api.erasure import process
from command_api.erasure.api import status_token
from command_api.http.request_body import read_body
from command_api.models import AnsweredCommand
from events.recorded import Origin
from events.vault import erasures, subjects
from events.vault.models import Family, Letter, MailedToken, Subject
from infra.config import config
from tests.command_api.conftest import ALIEN, PASSWORD, bearer, fields, log_rows

pytestmark = pytest.mark.django_db(databases=["default", "vault"])


@pytest.fixture
def ann(register, log_in):
    register("ann", headers={"Idempotency-Key": "once"})
    return bearer(log_in())


def erase(api, person, password=PASSWORD, **headers):
    return api("DELETE", "/v1/me", {"password": password}, by=person, **headers)


def erasures_in_log():
    return [json.loads(data) for type_, data in log_rows() if type_ == "user-erased.v1"]


def vault_contents() -> str:
    with connections["vault"].cursor() as cursor:
        cursor.execute("SELECT s::text FROM subjects s UNION ALL SELECT f::text FROM families f")
        return str(cursor.fetchall())


def test_erasure_destroys_the_users_key_and_data(api, ann, register, log_in):
    playlist = api("POST", "/v1/playlists", {"name": "Secrets"}, by=ann).json()["id"]
    api.rate(ALIEN, 8, by=ann, Idempotency_Key="rating")
    answer = erase(api, ann)
    assert answer.status_code == 202
    assert answer.headers["Log-Position"]
    assert erasures_in_log() == [
        {"type": "user-erased.v1", "user_id": str(ann.user_id), "playlists": [playlist]}
    ]
    row = Subject.objects.get(user_id=ann.user_id)
    assert (row.state, row.key, row.username_hmac, row.email_hmac, row.password_hash) == (
        "erased",
        *(None,) * 4,
    )
    assert not Family.objects.exists()
    assert not AnsweredCommand.objects.exists()
    assert erasures.remaining_rows(ann.user_id) == []


def test_erasure_stops_emails_and_voids_mailed_tokens(api, ann):
    api("POST", "/v1/passwords/forgot", {"email": "ann@example.org"})
    api("POST", "/v1/passwords/forgot", {"email": "bob@example.org"})
    others = Letter.objects.count()
    erase(api, ann)
    assert Letter.objects.count() < others
    assert not MailedToken.objects.exists()


def test_erasure_voids_tokens_and_password_at_once(api, ann, log_in):
    erase(api, ann)
    assert api.rate(ALIEN, 8, by=ann).status_code == 401
    assert erase(api, ann).status_code == 401
    assert log_in().status_code == 401
    assert log_in("ann@example.org").status_code == 401


def test_erasure_password_guesses_are_rate_limited_across_addresses(api, ann, monkeypatch):
    monkeypatch.setattr("command_api.accounts.password_hashing.is_correct", lambda *_: False)
    statuses = [
        api._client.delete(
            "/v1/me",
            json.dumps({"password": "guess"}),
            content_type="application/json",
            headers=ann.headers,
            REMOTE_ADDR=f"203.0.113.{nth}",
        ).status_code
        for nth in range(3 * config().throttle_login_per_minute)
    ]
    assert (statuses[0], statuses[-1]) == (403, 429)


def test_erasure_releases_the_names(api, ann, register, log_in):
    erase(api, ann)
    assert register("ann").status_code == 201
    assert bearer(log_in()).user_id != ann.user_id


def test_erasure_of_one_user_leaves_others_alone(api, ann, register, log_in):
    register("bob")
    bob = bearer(log_in("bob"))
    api.rate(ALIEN, 8, by=bob, Idempotency_Key="mine")
    erase(api, ann)
    assert api.rate(ALIEN, 8, by=bob, Idempotency_Key="mine").headers["Idempotency-Replayed"]
    assert log_in("bob").status_code == 200
    assert str(bob.user_id) in vault_contents()


@pytest.mark.parametrize(
    ("body", "status"),
    [({"password": "wrong"}, 403), ({}, 422), (None, 422), ({"password": "x" * 300}, 422)],
)
def test_erasure_needs_the_password(api, ann, body, status):
    answer = api("DELETE", "/v1/me", {} if body is None else body, by=ann)
    assert answer.status_code == status
    assert erasures_in_log() == []
    assert erasures.find(ann.user_id) is None
    assert api.rate(ALIEN, 8, by=ann).status_code == 200


def test_erasure_needs_a_token(api, ann):
    assert api("DELETE", "/v1/me", {"password": PASSWORD}).status_code == 401


def test_status_link_shows_the_progress(api, ann):
    link = erase(api, ann).json()["link"]
    response = api("GET", link)
    assert response.status_code == 200
    status = response.json()
    assert (status["state"], status["gone_at"], status["lines"]) == ("erased", None, [])
    assert status["asked_at"] <= status["erased_at"]

    erasures.add_report_line(ann.user_id, "library 1", "gone")
    assert api("GET", link).json()["state"] == "erased"
    erasures.mark_gone(ann.user_id)
    status = api("GET", link).json()
    assert status["state"] == "gone"
    assert [(line["part"], line["said"]) for line in status["lines"]] == [("library 1", "gone")]
    assert "ann" not in json.dumps(status)


@pytest.mark.parametrize("token", ["x", "", "ÿ", "A" * 64, "%00"])
def test_status_link_that_was_not_issued_is_not_found(api, token):
    assert api("GET", f"/v1/erasures/{token}").status_code == 404


def test_status_link_of_a_user_who_was_not_erased_is_not_found(api, ann):
    assert api("GET", f"/v1/erasures/{status_token(ann.user_id)}").status_code == 404


def test_erasure_is_accepted_while_the_log_is_unavailable(api, ann, monkeypatch):
    def raise_unavailable(*_args, **_more):
        raise OperationalError("the log is away")

    with monkeypatch.context() as patch:
        patch.setattr(process, "handle", raise_unavailable)
        answer = erase(api, ann)
    assert answer.status_code == 202
    assert "Log-Position" not in answer.headers
    assert api("GET", answer.json()["link"]).json()["state"] == "asked"
    assert api.rate(ALIEN, 8, by=ann).status_code == 401
    assert process.sweep() == 1
    assert api("GET", answer.json()["link"]).json()["state"] == "erased"
    assert len(erasures_in_log()) == 1


def test_log_never_holds_the_erased_users_texts(api, ann):
    erase(api, ann)
    with connection.cursor() as cursor:
        cursor.execute("SELECT e::text FROM events e")
        rows = str(cursor.fetchall())
    assert "example.org" not in rows
    assert '"ann"' not in rows
    assert subjects.keys_of([ann.user_id]) == {ann.user_id: None}


def test_erasure_refuses_unknown_fields(api, ann):
    answer = api("DELETE", "/v1/me", {"password": PASSWORD, "why": "x"}, by=ann)
    assert (answer.status_code, fields(answer)) == (422, ["why"])


def test_command_whose_body_arrives_after_the_erasure_is_refused(api, ann, monkeypatch):
    def slowly(request):
        process.mark_for_erasure(ann.user_id)
        process.complete(ann.user_id, origin=Origin(correlation_id=uuid4()))
        return read_body(request)

    monkeypatch.setattr("command_api.http.view.read_body", slowly)
    assert api.rate(ALIEN, 9, by=ann).status_code == 401
    assert not process.has_events_after_erasure(ann.user_id, event_store.store())


def test_erasure_without_a_body_names_the_missing_field(api, ann):
    answer = api("DELETE", "/v1/me", by=ann)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["password"]
