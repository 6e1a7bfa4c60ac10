"""Permissions of the query API: who may call each route, with a token or without.

A new route is a line in TABLE.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from uuid import UUID

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from events.catalogue import PlaylistCreated, PlaylistShown, SessionRevoked, UserRegistered
from events.catalogue.accounts import EncryptedField
from events.playlist_ids import playlist_id
from infra.config import config
from projectors.read_models.search.builder import SearchBuilder
from projectors.read_models.search.read_model import Search
from query_api import fast_lane, urls
from query_api.http.view import ReadView
from tests.fixtures.forged_tokens import FORGERIES, ValidToken
from tests.fixtures.permission_matrix import (
    Case,
    Cell,
    anybody,
    differences,
    everybody,
    logged_in,
    missing_rows,
    owner,
    staff,
)
from tests.query_api.conftest import ALIEN, ANN, BOB

CAROL = UUID(int=0xC)
SECRET, OPEN = (playlist_id(str(ANN), config().partitions, bytes([n] * 10)) for n in (1, 2))
SECRET_NAME = "For nobody's eyes"
LIVE, OVER = UUID(int=0xF1), UUID(int=0xF2)

_PLAYLIST = "v1/playlists/<str:playlist_id>"

QUESTIONS: Sequence[Case] = [
    Case("GET", "v1/movies/<int:movie_id>", f"/v1/movies/{ALIEN}", anybody(200)),
    Case("GET", "v1/movies/<int:movie_id>/details", f"/v1/movies/{ALIEN}/details", anybody(200)),
    Case("GET", "v1/movies/<int:movie_id>/similar", f"/v1/movies/{ALIEN}/similar", anybody(200)),
    Case("GET", "v1/trending", "/v1/trending", anybody(200)),
    Case("GET", "v1/search", "/v1/search?q=alien", anybody(200)),
    Case("GET", "v1/discover", "/v1/discover", anybody(200)),
    Case("GET", "v1/suggestions", "/v1/suggestions?q=a", anybody(200)),
    Case("GET", "v1/genres", "/v1/genres", anybody(200)),
    Case("GET", "v1/me/recommendations", "/v1/me/recommendations", logged_in(200)),
    Case("GET", "v1/me", "/v1/me", logged_in(200)),
    Case("GET", "v1/me/ratings", "/v1/me/ratings", logged_in(200)),
    Case("GET", "v1/me/favourites", "/v1/me/favourites", logged_in(200)),
    Case("GET", "v1/me/hidden", "/v1/me/hidden", logged_in(200)),
    Case("GET", "v1/me/playlists", "/v1/me/playlists", logged_in(200)),
    Case("GET", "v1/playlists", "/v1/playlists", anybody(200)),
    Case("GET", _PLAYLIST, f"/v1/playlists/{SECRET}", owner(200, anonymous=404)),
    Case("GET", _PLAYLIST, f"/v1/playlists/{OPEN}", anybody(200)),
]
TABLE: Sequence[Case] = [
    *QUESTIONS,
    # An unknown past: only staff learn that it is unknown.
    *(replace(case, statuses=staff(404), headers={"As-Of": "then"}) for case in QUESTIONS),
    Case("GET", "openapi.json", "/openapi.json", everybody(200)),
    Case("GET", "docs/", "/docs/", everybody(200)),
    Case("GET", "redoc/", "/redoc/", everybody(200)),
    Case("GET", "health/live", "/health/live", everybody(200)),
    Case("GET", "health/ready", "/health/ready", everybody(200)),
]


@pytest.fixture
def owner_data(world, elasticsearch_url):
    """Ann's data with one public playlist; one of her sessions is revoked."""
    encrypted = EncryptedField("ann")
    world.apply_event(UserRegistered(user_id=ANN, username=encrypted, email=encrypted), ANN)
    for id_, name in ((SECRET, SECRET_NAME), (OPEN, "For everybody")):
        world.apply_event(
            PlaylistCreated(playlist_id=id_, user_id=ANN, name=EncryptedField(name)), ANN
        )
    world.apply_event(PlaylistShown(playlist_id=OPEN, user_id=ANN, visibility="public"), ANN)
    until = datetime.now(UTC) + timedelta(minutes=5)
    world.apply_event(SessionRevoked(user_id=ANN, family=OVER, expires_at=until), ANN)
    world.build()
    SearchBuilder(world.models[Search]).build(datetime.now(UTC))


def test_every_route_is_in_the_table():
    assert missing_rows(TABLE, urls.urlpatterns) == {}


class Silent(ReadView):
    """View without permission classes."""

    def get(self, request, **kwargs):
        """Must never be called."""
        return HttpResponse()


def test_view_without_permissions_is_closed(log_in, monkeypatch):
    monkeypatch.setattr(fast_lane, "_VIEWS", {"/v1/trending": Silent})
    strangers: Sequence[dict[str, str]] = ({}, log_in(BOB), log_in(CAROL, is_staff=True))
    for headers in strangers:
        request = RequestFactory().get("/v1/trending", headers=headers)
        answer = Silent.as_view()(request)
        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert answer["Content-Type"] == "application/problem+json"
        assert fast_lane.answer(dict(request.environ)) is None


@pytest.mark.usefixtures("owner_data", "unlimited")
def test_every_route_checks_its_permissions(client, keys, log_in, capsys):
    valid = ValidToken(keys, ANN, LIVE)
    tokens = {name: forge(valid) for name, forge in FORGERIES.items()} | {
        "owner": valid.signed(),
        "revoked": ValidToken(keys, ANN, OVER).signed(),
    }
    headers = {name: {"Authorization": f"Bearer {token}"} for name, token in tokens.items()} | {
        "anonymous": {},
        "stranger": log_in(BOB),
        "staff": log_in(CAROL, is_staff=True),
    }

    def ask(cell: Cell):
        sent = {**headers[cell.forgery or cell.role], **cell.case.headers}
        answer = client.get(cell.case.path, headers=sent)
        if cell.case.statuses[cell.role] != HTTPStatus.OK:
            hot = fast_lane.answer(dict(RequestFactory().get(cell.case.path, headers=sent).environ))
            assert hot is None, f"{cell} by the fast lane"
        assert cell.role == "owner" or SECRET_NAME.encode() not in answer.content, str(cell)
        return answer

    differences_found = list(differences(TABLE, ask))
    with capsys.disabled():
        print(f"\n{len(differences_found)} cells of the query API's permissions")  # noqa: T201 - asked for
    assert {str(cell): wrong for cell, wrong in differences_found if wrong} == {}
