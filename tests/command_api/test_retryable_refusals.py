"""Refusals that a client can retry: conflict, rate limit, unavailable stores."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.db import OperationalError, connections

from command_api.event_store import store
from events.store import WrongExpectedVersion
from events.store.postgres import PostgresStore
from events.vault import outgoing_mail
from events.vault.models import Purpose
from infra.rate_limit import sliding_window
from infra.rate_limit.sliding_window import MINUTE
from tests.command_api.conftest import ALIEN, HEAT, PASSWORD, Person, bearer, use_up
from tests.command_api.sessions.test_api import refresh

NEVER_409 = {"log_in", "forgot_password", "send_verification", "erase_me", "erasure", "export_me"}
"""Operations that append nothing while the client waits."""

_EVE = {"username": "eve", "email": "eve@example.org", "password": PASSWORD}
_OTHER = "a whiter shade of pale"
_RESET = {"token": "{reset}", "password": _OTHER}
_HERS = "/v1/playlists/{playlist}"


class Sent(NamedTuple):
    """A valid command; the test fills in the words in braces."""

    name: str
    method: str
    path: str
    body: Any = None


COMMANDS: Sequence[Sent] = [
    Sent("register", "POST", "/v1/accounts", _EVE),
    Sent("verify_email", "POST", "/v1/accounts/verify-email", {"token": "{verify}"}),
    Sent("reset_password", "POST", "/v1/passwords/reset", _RESET),
    Sent("change_password", "POST", "/v1/me/password", {"old": PASSWORD, "new": _OTHER}),
    Sent("refresh", "POST", "/v1/tokens/refresh", {"refresh": "{exchanged}"}),
    Sent("log_out", "POST", "/v1/tokens/revoke", {"refresh": "{exchanged}"}),
    Sent("log_out_everywhere", "POST", "/v1/tokens/revoke-all"),
    Sent("change_preferences", "PUT", "/v1/me/preferences", {"genres": ["Drama"]}),
    Sent("rate", "PUT", f"/v1/movies/{HEAT}/rating", {"score": 8}),
    Sent("withdraw_rating", "DELETE", f"/v1/movies/{ALIEN}/rating"),
    Sent("import_ratings", "POST", "/v1/ratings/import", [{"movie_id": HEAT, "score": 8}]),
    Sent("favourite", "PUT", f"/v1/movies/{HEAT}/favourite"),
    Sent("unfavourite", "DELETE", f"/v1/movies/{ALIEN}/favourite"),
    Sent("hide", "PUT", f"/v1/movies/{HEAT}/hidden"),
    Sent("unhide", "DELETE", f"/v1/movies/{ALIEN}/hidden"),
    Sent("create_playlist", "POST", "/v1/playlists", {"name": "Space"}),
    Sent("change_playlist", "PATCH", _HERS, {"name": "Time"}),
    Sent("delete_playlist", "DELETE", _HERS),
    Sent("put_into_playlist", "PUT", f"{_HERS}/movies/{HEAT}", {}),
    Sent("take_from_playlist", "DELETE", f"{_HERS}/movies/{ALIEN}"),
]

OF_MOVIES_AND_PLAYLISTS = [
    sent for sent in COMMANDS if "/movies/" in sent.path or "/playlists" in sent.path
]


class OwnerData(NamedTuple):
    """A user, and the values for the words in braces."""

    owner: Person
    words: dict[str, str]


@pytest.fixture
def owner_data(api, register, log_in):
    """A user with ratings, flags, a playlist, two mailed tokens and an exchanged refresh token."""
    register()
    logged_in = log_in()
    owner, exchanged = bearer(logged_in), logged_in.json()["refresh"]
    refresh(api, exchanged)
    api.rate(ALIEN, 8, by=owner)
    api("PUT", f"/v1/movies/{ALIEN}/favourite", by=owner)
    api("PUT", f"/v1/movies/{ALIEN}/hidden", by=owner)
    playlist = api("POST", "/v1/playlists", {"name": "Hers"}, by=owner).json()["id"]
    api("PUT", f"/v1/playlists/{playlist}/movies/{ALIEN}", by=owner)
    words = {"playlist": playlist, "exchanged": exchanged}
    for purpose in (Purpose.VERIFY, Purpose.RESET):
        hour, none = timedelta(hours=1), timedelta(0)
        token = outgoing_mail.make_token(owner.user_id, purpose, life=hour, pause=none)
        words[purpose.value] = str(token)
    return OwnerData(owner, words)


@pytest.fixture
def conflicting_appends(monkeypatch):
    """Make every append find that the stream has moved."""

    def moved(*_args, **_more):
        raise WrongExpectedVersion

    def start():
        monkeypatch.setattr(PostgresStore, "append", moved)
        monkeypatch.setattr(PostgresStore, "append_many", moved)

    return start


@pytest.mark.django_db(databases=["default", "vault"])
@pytest.mark.parametrize("sent", COMMANDS, ids=lambda sent: sent.name)
def test_command_that_always_conflicts_is_answered_409(api, owner_data, conflicting_appends, sent):
    conflicting_appends()
    body = sent.body
    if isinstance(body, dict):
        body = {name: _filled(value, owner_data.words) for name, value in body.items()}
    answer = api(sent.method, sent.path.format(**owner_data.words), body, by=owner_data.owner)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/conflict")


def test_openapi_declares_409_for_exactly_these_commands(api):
    operations = [
        operation
        for methods in api("GET", "/openapi.json").json()["paths"].values()
        for operation in methods.values()
    ]
    declared = {
        operation["operationId"] for operation in operations if "409" in operation["responses"]
    }
    assert declared == {sent.name for sent in COMMANDS}
    assert {operation["operationId"] for operation in operations} == declared | NEVER_409


@pytest.mark.django_db(databases=["default", "vault"])
@pytest.mark.parametrize("sent", OF_MOVIES_AND_PLAYLISTS, ids=lambda sent: sent.name)
def test_command_over_the_rate_limit_gets_retry_after(api, ann, sent):
    counter, before = sliding_window.of_user(ann.user_id), store().heads()
    use_up(counter, counter.limit)
    answer = api(sent.method, sent.path.format(playlist="hers"), sent.body, by=ann)
    assert (answer.status_code, answer.json()["type"]) == (429, "/problems/too-many-requests")
    assert 1 <= int(answer.headers["Retry-After"]) <= 2 * MINUTE
    assert answer.headers["RateLimit-Remaining"] == "0"
    assert store().heads() == before


@pytest.mark.django_db(databases=["default", "vault"])
@pytest.mark.parametrize("sent", OF_MOVIES_AND_PLAYLISTS, ids=lambda sent: sent.name)
def test_command_is_answered_503_while_the_database_is_unavailable(
    api, owner_data, monkeypatch, sent
):
    def raise_unavailable(*_args, **_more):
        raise OperationalError("password=secret")

    for alias in ("default", "vault"):
        monkeypatch.setattr(connections[alias], "cursor", raise_unavailable)
    answer = api(sent.method, sent.path.format(**owner_data.words), sent.body, by=owner_data.owner)
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
    assert answer.headers["Retry-After"] == "1"
    assert b"secret" not in answer.content


def _filled(value: Any, words: dict[str, str]) -> Any:
    return value.format(**words) if isinstance(value, str) else value
