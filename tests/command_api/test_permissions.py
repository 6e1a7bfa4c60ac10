"""Permissions: every route, for every kind of caller.

A new route is a line in TABLE.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import pytest
from django.db import connection
from django.test import RequestFactory

from command_api import urls
from command_api.http import token_revocation
from command_api.http.view import Answer, CommandView
from events.vault import refresh_families
from infra.security import access_tokens
from tests.command_api.conftest import ALIEN, HEAT, Person
from tests.fixtures.forged_tokens import FORGERIES, ValidToken
from tests.fixtures.permission_matrix import (
    Case,
    Cell,
    differences,
    everybody,
    logged_in,
    missing_rows,
    owner,
)

_PLAYLIST = "v1/playlists/<str:playlist_id>"
_IN_PLAYLIST = f"{_PLAYLIST}/movies/<int:movie_id>"
_MOVIE = "v1/movies/<int:movie_id>"

REFUSED_STATUSES = (302, 401)
"""The statuses of a caller who was not let in."""
_ROW = "<path:object_id>/"
_WITH_ROWS = tuple(
    f"catalogue/{table}/" for table in ("movie", "person", "trendobservation", "syncrun")
)
_LISTS = tuple(f"catalogue/{table}/" for table in ("genre", "keyword", "tmdbfilm"))
_PAGES = ("", "catalogue/", *_WITH_ROWS, *_LISTS)

TABLE: Sequence[Case] = [
    # An empty body: an error about it means that the caller was let in.
    Case("POST", "v1/accounts", "/v1/accounts", everybody(422), body={}),
    Case("POST", "v1/tokens", "/v1/tokens", everybody(422), body={}),
    Case("POST", "v1/tokens/refresh", "/v1/tokens/refresh", everybody(422), body={}),
    Case("POST", "v1/tokens/revoke", "/v1/tokens/revoke", everybody(422), body={}),
    Case("POST", "v1/tokens/revoke-all", "/v1/tokens/revoke-all", logged_in(204)),
    Case("POST", "v1/accounts/verify-email", "/v1/accounts/verify-email", everybody(422), {}),
    Case("POST", "v1/passwords/forgot", "/v1/passwords/forgot", everybody(422), body={}),
    Case("POST", "v1/passwords/reset", "/v1/passwords/reset", everybody(422), body={}),
    Case("POST", "v1/me/password", "/v1/me/password", logged_in(422), body={}),
    Case("POST", "v1/me/verify-email", "/v1/me/verify-email", logged_in(202)),
    Case("DELETE", "v1/me", "/v1/me", logged_in(422), body={}),
    Case("GET", "v1/me/export", "/v1/me/export", logged_in(200)),
    Case("GET", "v1/erasures/<str:token>", "/v1/erasures/none", everybody(404)),
    Case("PUT", "v1/me/preferences", "/v1/me/preferences", logged_in(200), body={}),
    Case("PUT", f"{_MOVIE}/rating", f"/v1/movies/{ALIEN}/rating", logged_in(200), {"score": 8}),
    Case("DELETE", f"{_MOVIE}/rating", f"/v1/movies/{ALIEN}/rating", owner(204)),
    Case("PUT", f"{_MOVIE}/favourite", f"/v1/movies/{ALIEN}/favourite", logged_in(200)),
    Case("DELETE", f"{_MOVIE}/favourite", f"/v1/movies/{ALIEN}/favourite", owner(204)),
    Case("PUT", f"{_MOVIE}/hidden", f"/v1/movies/{HEAT}/hidden", logged_in(200)),
    Case("DELETE", f"{_MOVIE}/hidden", f"/v1/movies/{HEAT}/hidden", owner(204)),
    Case("POST", "v1/ratings/import", "/v1/ratings/import", logged_in(200), body=[]),
    Case("POST", "v1/playlists", "/v1/playlists", logged_in(201), body={"name": "Mine"}),
    Case("PATCH", _PLAYLIST, "/v1/playlists/{playlist}", owner(200), body={"name": "Ours"}),
    Case("DELETE", _PLAYLIST, "/v1/playlists/{playlist}", owner(204)),
    Case("PUT", _IN_PLAYLIST, f"/v1/playlists/{{playlist}}/movies/{ALIEN}", owner(200)),
    Case("DELETE", _IN_PLAYLIST, f"/v1/playlists/{{playlist}}/movies/{ALIEN}", owner(204)),
    Case("GET", ".well-known/jwks.json", "/.well-known/jwks.json", everybody(200)),
    Case("GET", "openapi.json", "/openapi.json", everybody(200)),
    Case("GET", "docs/", "/docs/", everybody(200)),
    Case("GET", "redoc/", "/redoc/", everybody(200)),
    Case("GET", "health/live", "/health/live", everybody(200)),
    Case("GET", "health/ready", "/health/ready", everybody(200)),
    # Staff pages accept no token, only the cookie of a staff log-in
    # (tests/command_api/admin/test_login.py). Others are redirected to the log-in page.
    *(Case("GET", f"admin/{page}", f"/admin/{page}", everybody(302)) for page in _PAGES),
    *(
        Case("GET", f"admin/{page}{_ROW}", f"/admin/{page}1/", everybody(302))
        for page in _WITH_ROWS
    ),
    Case("GET", "admin/login/", "/admin/login/", everybody(200)),
    Case("POST", "admin/login/", "/admin/login/", everybody(400), body={}),
    Case("POST", "admin/logout/", "/admin/logout/", everybody(400), body={}),
]


def test_every_route_is_in_the_permission_table():
    assert missing_rows(TABLE, urls.urlpatterns) == {}


@pytest.fixture
def make_owner(api, person):
    """Makes a user with ratings, flags and a private playlist."""

    def make() -> OwnerData:
        owner = person()
        api.rate(ALIEN, 7, by=owner)
        api("PUT", f"/v1/movies/{ALIEN}/favourite", by=owner)
        api("PUT", f"/v1/movies/{HEAT}/hidden", by=owner)
        playlist = api("POST", "/v1/playlists", {"name": "Hers"}, by=owner).json()["id"]
        api("PUT", f"/v1/playlists/{playlist}/movies/{ALIEN}", by=owner)
        return OwnerData(owner, playlist)

    return make


@pytest.fixture
def bad_tokens(make_owner, keys) -> dict[str, Person]:
    """Tokens of a user, each with one defect."""
    owner, over = make_owner().owner, make_owner().owner
    valid = ValidToken(keys, owner.user_id, family_of(owner))
    refresh_families.revoke(family_of(over))
    token_revocation.clear_cache()
    forged = {name: forge(valid) for name, forge in FORGERIES.items()}
    return {
        name: Person(owner.user_id, {"Authorization": f"Bearer {token}"})
        for name, token in forged.items()
    } | {"revoked": over}


class Silent(CommandView):
    """A view without permission classes."""

    def post(self, call):
        """Must never be called."""
        return Answer(None)


def test_view_without_permissions_refuses_everybody(person):
    for headers in ({}, person().headers, of_the_staff(person()).headers):
        answer = Silent.as_view()(RequestFactory().post("/", headers=headers))
        assert answer.status_code == 403
        assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.usefixtures("unlimited")
def test_caller_may_send_exactly_the_permitted_commands(
    api, person, make_owner, bad_tokens, capsys
):
    refused = make_owner()

    def ask(cell: Cell):
        owner, playlist = (
            refused if cell.case.statuses[cell.role] in REFUSED_STATUSES else make_owner()
        )
        path = cell.case.path.format(playlist=playlist)
        caller, before = sender(cell, owner), events()
        answer = api(cell.case.method, path, cell.case.body, by=caller)
        assert answer.status_code < 400 or events() == before, f"{cell} left an event"
        return answer

    def sender(cell: Cell, owner: Person):
        match cell.role:
            case "anonymous":
                return None
            case "stranger":
                return person()
            case "staff":
                return of_the_staff(person())
            case "owner":
                return owner
            case "expired" | "revoked" | "forged":
                return bad_tokens[cell.forgery or cell.role]

    differences_found = list(differences(TABLE, ask))
    with capsys.disabled():
        print(f"\n{len(differences_found)} cells of the command API's permissions")  # noqa: T201 - asked for
    assert {str(cell): wrong for cell, wrong in differences_found if wrong} == {}


class OwnerData(NamedTuple):
    """A user, and what belongs to them."""

    owner: Person
    playlist: str


def family_of(person: Person) -> UUID:
    """Return the token's log-in family."""
    return access_tokens.bearer(person.headers["Authorization"]).family


def of_the_staff(person: Person) -> Person:
    """The same user, with a staff token."""
    access = access_tokens.mint_access(person.user_id, family_of(person), 0, is_staff=True)
    return Person(person.user_id, {"Authorization": f"Bearer {access}"})


def events() -> int:
    """Return the number of events in the log."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM events")
        [(count,)] = cursor.fetchall()
        return int(count)
