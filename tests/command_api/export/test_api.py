"""Export over HTTP: complete, and only the user's own data."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import msgspec
import pytest

from command_api import event_store
from command_api.emails.verification import mark_verified
from command_api.export import exporter
from command_api.export.format import ExportLine
from events.recorded import Origin
from infra.config import config
from tests.command_api.conftest import ALIEN, HEAT, bearer

pytestmark = pytest.mark.django_db(databases=["default", "vault"])


@pytest.fixture
def ann(register, log_in):
    register("ann", genres=["War"])
    return bearer(log_in())


def send_every_command(api, ann):
    rated_at = "1999-01-02T03:04:05Z"
    ratings = [{"movie_id": HEAT, "score": 3, "rated_at": rated_at}]
    assert api("POST", "/v1/ratings/import", ratings, by=ann).json()["taken"] == 1
    api.rate(ALIEN, 7, by=ann)
    api.rate(ALIEN, 9, by=ann)
    api("PUT", f"/v1/movies/{ALIEN}/favourite", by=ann)
    api("PUT", f"/v1/movies/{HEAT}/favourite", by=ann)
    api("DELETE", f"/v1/movies/{HEAT}/favourite", by=ann)
    api("PUT", f"/v1/movies/{HEAT}/hidden", by=ann)
    body = {"name": "Rainy days", "description": "Long", "visibility": "public"}
    playlist_id = api("POST", "/v1/playlists", body, by=ann).json()["id"]
    api("PUT", f"/v1/playlists/{playlist_id}/movies/{ALIEN}", {}, by=ann)
    api("PUT", f"/v1/playlists/{playlist_id}/movies/{HEAT}", {"position": 0}, by=ann)
    deleted_id = api("POST", "/v1/playlists", {"name": "No more"}, by=ann).json()["id"]
    api("DELETE", f"/v1/playlists/{deleted_id}", by=ann)
    return playlist_id


def export(api, person):
    answer = api("GET", "/v1/me/export", by=person)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/jsonl"
    assert answer.headers["Cache-Control"] == "no-store"
    return [json.loads(line) for line in answer.content.splitlines()]


ALIEN_LINE = {"id": ALIEN, "title": "Alien", "year": 1979, "external_ids": {}}
HEAT_LINE = {"id": HEAT, "title": "Heat", "year": 1995, "external_ids": {}}


def test_export_states_whether_the_address_is_verified(api, ann):
    mark_verified(ann.user_id, origin=Origin(correlation_id=uuid4()))
    assert export(api, ann)[0]["email_verified"] is True


def test_export_holds_all_data_of_the_user(api, ann):
    playlist_id = send_every_command(api, ann)
    account, preferences, alien, heat, favourite, hidden, playlist, end = export(api, ann)
    assert datetime.fromisoformat(account.pop("registered_at")) <= datetime.now(UTC)
    assert account == {
        "kind": "account",
        "id": str(ann.user_id),
        "username": "ann",
        "email": "ann@example.org",
        "email_verified": False,
    }
    assert preferences == {
        "kind": "preferences",
        "genres": ["War"],
        "public_activity": False,
        "strategy": None,
    }
    assert (alien["kind"], alien["rating"]["score"], alien["movie"]) == ("rating", 9, ALIEN_LINE)
    assert heat == {
        "kind": "rating",
        "rating": {"movie_id": HEAT, "score": 3, "rated_at": "1999-01-02T03:04:05Z"},
        "movie": HEAT_LINE,
    }
    assert (favourite["kind"], favourite["movie"]) == ("favourite", ALIEN_LINE)
    assert (hidden["kind"], hidden["movie"]) == ("hidden", HEAT_LINE)
    del playlist["created_at"]
    assert playlist == {
        "kind": "playlist",
        "id": playlist_id,
        "name": "Rainy days",
        "description": "Long",
        "visibility": "public",
        "movies": [HEAT_LINE, ALIEN_LINE],
    }
    assert end == {"kind": "end", "lines": 7}


def test_export_holds_nothing_of_other_users(api, ann, register, log_in):
    send_every_command(api, ann)
    register("bob")
    bob = bearer(log_in("bob"))
    assert [line["kind"] for line in export(api, bob)] == ["account", "end"]


def test_exported_ratings_can_be_imported_as_they_are(api, ann, register, log_in):
    send_every_command(api, ann)
    register("bob")
    bob = bearer(log_in("bob"))
    ratings = [line["rating"] for line in export(api, ann) if line["kind"] == "rating"]
    assert api("POST", "/v1/ratings/import", ratings, by=bob).json()["taken"] == 2
    assert [line["rating"] for line in export(api, bob) if line["kind"] == "rating"] == ratings


def test_export_reads_streams_page_by_page(api, ann, monkeypatch):
    playlist_id = send_every_command(api, ann)
    exported = list(exporter.lines(ann.user_id, event_store.store()))
    monkeypatch.setattr(exporter, "_PAGE", 1)
    requested = []
    read_many = event_store.store().read_many

    def counted(streams):
        requested.append(len(streams))
        return read_many(streams)

    monkeypatch.setattr(event_store.store(), "read_many", counted)
    lines = exporter.lines(ann.user_id, event_store.store())
    assert next(lines) == exported[0]
    assert requested == []  # pages are read only when needed
    assert [exported[0], *lines] == exported
    assert set(requested) == {1}
    assert playlist_id in repr(exported)


def test_exported_lines_decode_to_their_kinds(api, ann):
    send_every_command(api, ann)
    answer = api("GET", "/v1/me/export", by=ann)
    read = [msgspec.json.decode(line, type=ExportLine) for line in answer.content.splitlines()]
    assert read == list(exporter.lines(ann.user_id, event_store.store()))


def test_export_holds_no_thread_for_a_slow_client(api, ann):
    assert not api("GET", "/v1/me/export", by=ann).streaming


def test_export_is_rate_limited_like_an_import(api, ann):
    limit = config().throttle_import_per_minute
    answer = api("GET", "/v1/me/export", by=ann)
    assert answer.headers["RateLimit-Limit"] == str(limit)


def test_export_needs_a_token(api, ann):
    assert api("GET", "/v1/me/export").status_code == 401
    assert api("POST", "/v1/me/export", by=ann).status_code == 405
