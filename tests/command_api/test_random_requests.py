"""Random requests to every route: answers are declared, refusals leave no trace."""

import json
from contextlib import ExitStack, contextmanager
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from command_api.event_store import store
from events.management.commands.reference import DIRECTORY
from tests.command_api.conftest import ALIEN
from tests.fixtures.random_requests import ValidValues, operations, requests, violation

OPERATIONS = list(operations(json.loads((DIRECTORY / "command.openapi.json").read_text())))

DATABASES = ["default", "vault"]

pytestmark = [
    pytest.mark.django_db(databases=DATABASES),
    pytest.mark.usefixtures("unlimited"),
]


@pytest.fixture
def valid_values(api, ann):
    """Valid values for Ann's requests."""
    created = api("POST", "/v1/playlists", {"name": "Space"}, by=ann)
    return ValidValues(
        headers={
            "Authorization": [ann.headers["Authorization"], "Bearer x.y.z"],
            "Idempotency-Key": ["k", str(uuid4())],
            "If-Match": [created.headers["ETag"], "*", '"1", "2"', '"99999999999999999999"'],
            "If-None-Match": ["*"],
            "Log-Position": [created.headers["Log-Position"]],
            "Prefer": ["wait=1"],
            "X-Request-ID": [str(uuid4())],
            "traceparent": [f"00-{'a' * 32}-{'b' * 16}-01"],
        },
        paths={"movie_id": [str(ALIEN)], "playlist_id": [created.json()["id"]]},
    )


@pytest.fixture
def cheap(monkeypatch):
    """Make password checks cheap."""
    monkeypatch.setattr(
        "command_api.accounts.password_hashing.is_correct", lambda _given, _kept: False
    )
    monkeypatch.setattr(
        "command_api.accounts.password_hashing.hash_password", lambda _given: "unusable"
    )


@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_random_request_gets_a_declared_answer_and_a_refusal_appends_nothing(
    valid_values, operation, data
):
    sent, before = data.draw(requests(operation, valid_values)), store().heads()
    with rolled_back():
        answer = Client(raise_request_exception=False).generic(
            operation.method,
            sent.path,
            sent.body,
            content_type=sent.content_type,
            headers=sent.headers,
            CONTENT_TYPE=sent.content_type,
            QUERY_STRING=sent.query,
        )
        assert violation(operation, answer) is None
        assert answer.status_code < 400 or store().heads() == before


def test_more_than_a_thousand_parameters_get_a_declared_answer(valid_values):
    token = valid_values.headers["Authorization"][0]
    paths = {"movie_id": ALIEN, "playlist_id": valid_values.paths["playlist_id"][0], "token": "x"}
    for operation in OPERATIONS:
        with rolled_back():
            answer = Client(raise_request_exception=False).generic(
                operation.method,
                operation.path.format(**paths),
                b"[]",
                content_type="application/json",
                headers={"Authorization": token},
                QUERY_STRING="a=1&" * 1001,
            )
            assert violation(operation, answer) is None


@contextmanager
def rolled_back():
    """Roll back, so that the next request finds a valid session and playlist."""
    with ExitStack() as stack:
        for alias in DATABASES:
            stack.enter_context(transaction.atomic(using=alias))
        yield
        for alias in DATABASES:
            transaction.set_rollback(True, using=alias)
