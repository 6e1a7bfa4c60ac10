"""Playlists: visibility, order, pages and cursors."""

from datetime import timedelta

import pytest

from events.catalogue import (
    PlaylistCreated,
    PlaylistDeleted,
    PlaylistMovieAdded,
    PlaylistMovieMoved,
    PlaylistShown,
    UserRegistered,
)
from events.catalogue.accounts import EncryptedField
from events.playlist_ids import playlist_id
from infra.config import config
from projectors.read_models.library.projection import UserPreferences
from projectors.read_models.playlists.read_model import Playlists
from query_api.visibility import Activity, is_visible
from tests.fixtures.position_header import encode_positions
from tests.query_api.conftest import ALIEN, AMELIE, ANN, BOB, HEAT, UNKNOWN, walk

NIGHT = playlist_id(str(ANN), config().partitions, bytes(10))
ABSENT = playlist_id(str(ANN), config().partitions, bytes([9] * 10))


def created(id_=NIGHT, name="Night shift", user=ANN, **more):
    return PlaylistCreated(playlist_id=id_, user_id=user, name=EncryptedField(name), **more)


def show(visibility, id_=NIGHT):
    return PlaylistShown(playlist_id=id_, user_id=ANN, visibility=visibility)


@pytest.fixture
def night(world):
    """Ann's playlist, private, with three movies."""
    sealed = EncryptedField("ann")
    world.apply_event(UserRegistered(user_id=ANN, username=sealed, email=sealed), ANN)
    world.apply_event(created(description=EncryptedField("After dark")), ANN)
    for rank, movie in enumerate((HEAT, ALIEN, AMELIE)):
        added = PlaylistMovieAdded(playlist_id=NIGHT, user_id=ANN, movie_id=movie, rank=rank)
        world.apply_event(added, ANN)


def ids(answer):
    assert answer.status_code == 200, answer.content
    return [item["id"] for item in answer.json()["items"]]


@pytest.mark.usefixtures("night")
def test_owner_sees_the_playlist(client, log_in):
    answer = client.get(f"/v1/playlists/{NIGHT}", headers=log_in(ANN))
    assert answer.status_code == 200
    body = answer.json()
    assert [item["id"] for item in body["items"]] == [HEAT, ALIEN, AMELIE]
    card = client.get(f"/v1/movies/{HEAT}").json()
    assert body["items"][0] == {**card, "position": 0}
    del body["items"]
    assert body.pop("created_at") <= body.pop("updated_at")
    assert body == {
        "next": None,
        "id": NIGHT,
        "owner": "ann",
        "name": "Night shift",
        "description": "After dark",
        "visibility": "private",
        "version": 1,
        "size": 3,
        "followers": 0,
    }
    assert answer["Cache-Control"] == "private, no-cache"
    assert answer["Vary"] == "Authorization"


@pytest.mark.usefixtures("night")
def test_private_playlist_is_404_for_others(client, log_in):
    etag = client.get(f"/v1/playlists/{NIGHT}", headers=log_in(ANN))["ETag"]
    anonymous: dict[str, str] = {}
    for headers in (anonymous, log_in(BOB)):
        absent = client.get(f"/v1/playlists/{ABSENT}", headers=headers)
        for more in ({}, {"If-None-Match": etag}, {"If-None-Match": "*"}):
            hidden = client.get(f"/v1/playlists/{NIGHT}", headers={**headers, **more})
            assert hidden.status_code == absent.status_code == 404
            assert hidden.json() == absent.json()
    assert ids(client.get("/v1/playlists")) == []
    assert ids(client.get("/v1/playlists?q=night", headers=log_in(BOB))) == []
    assert ids(client.get("/v1/me/playlists", headers=log_in(BOB))) == []


def test_visibility_of_playlist_can_change(client, world, night, log_in):
    world.apply_event(show("public"), ANN)
    assert ids(client.get(f"/v1/playlists/{NIGHT}")) == [HEAT, ALIEN, AMELIE]
    assert ids(client.get("/v1/playlists")) == [NIGHT]
    etag = client.get(f"/v1/playlists/{NIGHT}", headers=log_in(BOB))["ETag"]
    world.apply_event(show("private"), ANN)
    for headers in ({}, log_in(BOB), {**log_in(BOB), "If-None-Match": etag}):
        assert client.get(f"/v1/playlists/{NIGHT}", headers=headers).status_code == 404
    assert ids(client.get("/v1/playlists")) == []
    assert ids(client.get(f"/v1/playlists/{NIGHT}", headers=log_in(ANN))) != []


def test_lagging_index_shows_no_private_playlist(client, world, night):
    world.apply_event(show("public"), ANN)
    world.apply_event(show("private"), ANN, to=[k for k in world.models if k is not Playlists])
    assert ids(client.get("/v1/playlists")) == []


def test_playlist_pages_follow_a_moved_movie(client, world, night, log_in):
    moved = PlaylistMovieMoved(playlist_id=NIGHT, user_id=ANN, movie_id=HEAT, rank=9)
    position = {"Log-Position": encode_positions([world.apply_event(moved, ANN)])}
    path, headers = f"/v1/playlists/{NIGHT}", log_in(ANN)
    assert ids(client.get(path, headers=headers | position)) == [ALIEN, AMELIE, HEAT]
    assert walk(client, path, {"limit": 1}, headers=headers) == [ALIEN, AMELIE, HEAT]
    second = client.get(path, {"limit": 1}, headers=headers).json()["next"]
    page = client.get(path, {"limit": 1, "cursor": second}, headers=headers).json()
    assert page["items"][0]["position"] == 1


def test_playlist_movies_without_card_are_left_out(client, world, night, log_in):
    added = PlaylistMovieAdded(playlist_id=NIGHT, user_id=ANN, movie_id=UNKNOWN, rank=-1)
    world.apply_event(added, ANN)
    page = client.get(f"/v1/playlists/{NIGHT}", headers=log_in(ANN)).json()
    assert page["items"][0]["id"] == HEAT
    assert page["items"][0]["position"] == 1


def test_deleted_playlist_is_404(client, world, night, log_in):
    world.apply_event(show("public"), ANN)
    world.apply_event(PlaylistDeleted(playlist_id=NIGHT, user_id=ANN), ANN)
    assert client.get(f"/v1/playlists/{NIGHT}", headers=log_in(ANN)).status_code == 404
    assert ids(client.get("/v1/me/playlists", headers=log_in(ANN))) == []
    assert ids(client.get("/v1/playlists")) == []


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("id_", ["x", "0" * 22, "G" * 23, "fff" + "0" * 20, "٣" * 23])
def test_malformed_playlist_id_is_404(client, id_):
    assert client.get(f"/v1/playlists/{id_}").status_code == 404


def test_lists_of_playlists_have_pages(client, world, log_in):
    some = [playlist_id(str(ANN), config().partitions, bytes([n] * 10)) for n in range(5)]
    for nth, id_ in enumerate(some):
        public = created(id_, f"List {nth}", visibility="public")
        world.apply_event(public, ANN, ago=timedelta(hours=nth))
    assert ids(client.get("/v1/playlists")) == some
    assert walk(client, "/v1/playlists", {"limit": 2}) == some
    assert walk(client, "/v1/playlists", {"limit": 2, "sort": "popular"}) == some
    assert ids(client.get("/v1/playlists?q=list+3")) == [some[3]]
    assert ids(client.get("/v1/playlists?q=!")) == []
    headers = log_in(ANN)
    assert ids(client.get("/v1/me/playlists", headers=headers)) == some
    for sort, expected in (("new", some), ("old", some[::-1])):
        assert ids(client.get(f"/v1/me/playlists?sort={sort}", headers=headers)) == expected
        parameters = {"limit": 2, "sort": sort}
        assert walk(client, "/v1/me/playlists", parameters, headers=headers) == expected


@pytest.mark.usefixtures("night")
@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/v1/playlists", "sort=old", "sort"),
        ("/v1/playlists", "limit=0", "limit"),
        ("/v1/playlists", "cursor=x", "cursor"),
        ("/v1/playlists", "q=", "q"),
        ("/v1/playlists", "x=1", "x"),
        ("/v1/me/playlists", "cursor=x", "cursor"),
        ("/v1/me/playlists", "sort=popular", "sort"),
        (f"/v1/playlists/{NIGHT}", "cursor=x", "cursor"),
        (f"/v1/playlists/{NIGHT}", "limit=101", "limit"),
    ],
)
def test_playlists_refuse_invalid_parameters(client, log_in, path, query, field):
    answer = client.get(f"{path}?{query}", headers=log_in(ANN))
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_cursor_of_playlists_is_bound_to_its_list(client, world, log_in):
    for nth in range(3):
        id_ = playlist_id(str(ANN), config().partitions, bytes([nth] * 10))
        world.apply_event(created(id_, visibility="public"), ANN)
    cursor = client.get("/v1/playlists?limit=1").json()["next"]
    for path in (f"/v1/playlists?q=night&cursor={cursor}", f"/v1/me/playlists?cursor={cursor}"):
        assert client.get(path, headers=log_in(ANN)).status_code == 422


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("path", ["/v1/me/playlists", "/v1/me", "/v1/me/favourites"])
def test_my_playlists_need_a_token(client, path):
    assert client.get(path).status_code == 401


def test_activity_is_private_by_default():
    quiet, loud = (
        Activity(str(ANN), UserPreferences(public_activity=is_public))
        for is_public in (False, True)
    )
    assert [is_visible(quiet, viewer) for viewer in (ANN, BOB, None)] == [True, False, False]
    assert [is_visible(loud, viewer) for viewer in (ANN, BOB, None)] == [True, True, True]
