"""Preferences over HTTP are appended to the log."""

import pytest

from tests.command_api.conftest import log_rows

pytestmark = pytest.mark.django_db(databases=["default", "vault"])


def test_preferences_request_changes_only_given_fields(api, ann):
    first = api("PUT", "/v1/me/preferences", {"genres": ["Drama", "Comedy"]}, by=ann)
    assert first.json() == {
        "genres": ["Drama", "Comedy"],
        "public_activity": False,
        "strategy": None,
    }
    second = api(
        "PUT", "/v1/me/preferences", {"public_activity": True, "strategy": "taste"}, by=ann
    )
    assert second.json() == {
        "genres": ["Drama", "Comedy"],
        "public_activity": True,
        "strategy": "taste",
    }
    assert [type_ for type_, _ in log_rows()] == ["preferences-changed.v1"] * 2
    repeated = api("PUT", "/v1/me/preferences", {"strategy": "taste"}, by=ann)
    assert repeated.headers["Log-Position"] == second.headers["Log-Position"]


def test_preferences_request_without_fields_appends_nothing(api, ann):
    answer = api("PUT", "/v1/me/preferences", {}, by=ann)
    assert (answer.status_code, log_rows()) == (200, [])
    assert answer.headers["Log-Position"]
