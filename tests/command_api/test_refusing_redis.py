"""Commands while Redis refuses writes: accepted; log-ins and registrations are refused."""

import pytest

from infra.http import health
from tests.command_api.conftest import ALIEN, PASSWORD

pytestmark = pytest.mark.django_db(databases=["default", "vault"])

GUESSES = (
    ("/v1/tokens", {"login": "ann", "password": PASSWORD}),
    ("/v1/tokens", {"login": "ann@example.org", "password": "wrong"}),
    ("/v1/tokens", {"login": "nobody", "password": PASSWORD}),
    ("/v1/accounts", {"username": "bob", "email": "bob@example.org", "password": PASSWORD}),
    ("/v1/passwords/forgot", {"email": "ann@example.org"}),
    ("/v1/passwords/reset", {"token": "x" * 43, "password": PASSWORD}),
)


def test_log_ins_are_refused_and_commands_accepted(api, register, log_in, ann, refusing):
    register("ann")
    refresh = log_in().json()["refresh"]
    with refusing():
        for path, body in GUESSES:
            answer = api("POST", path, body)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1"), path
        assert api.rate(ALIEN, 8, by=ann).status_code == 200
        assert api("PUT", f"/v1/movies/{ALIEN}/favourite", by=ann).status_code == 200
        assert api("POST", "/v1/playlists", {"name": "Space"}, by=ann).status_code == 201
        assert api("POST", "/v1/tokens/refresh", {"refresh": refresh}).status_code == 200
        health.redis()  # ready: it raises nothing
    assert log_in().status_code == 200


def test_invalid_tokens_are_refused_as_such(api, refusing):
    with refusing():
        answer = api.rate(ALIEN, 8, by=None, Authorization="Bearer forged")
    assert answer.status_code == 401
