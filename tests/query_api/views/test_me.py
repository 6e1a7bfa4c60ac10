"""My profile, favourites and hidden movies."""

from datetime import UTC, datetime, timedelta

import pytest

from events.catalogue import (
    MovieFavourited,
    MovieHidden,
    MovieUnhidden,
    PreferencesChanged,
    UserRegistered,
)
from events.catalogue.accounts import EncryptedField
from tests.query_api.conftest import ALIEN, AMELIE, ANN, BOB, HEAT, UNKNOWN, walk


@pytest.fixture
def flagged(world):
    """Ann has two favourites and two hidden movies."""
    for hours, movie in enumerate((HEAT, ALIEN)):
        favourited = MovieFavourited(user_id=ANN, movie_id=movie)
        world.apply_event(favourited, ANN, ago=timedelta(hours=hours))
    for hours, movie in enumerate((AMELIE, UNKNOWN)):
        hidden = MovieHidden(user_id=ANN, movie_id=movie)
        world.apply_event(hidden, ANN, ago=timedelta(hours=hours))


def ids(answer):
    assert answer.status_code == 200, answer.content
    return [item["id"] for item in answer.json()["items"]]


def test_profile_has_name_preferences_and_counts(client, world, flagged, log_in):
    sealed = EncryptedField("ann")
    world.apply_event(UserRegistered(user_id=ANN, username=sealed, email=sealed), ANN)
    world.apply_event(PreferencesChanged(user_id=ANN, genres=("War",), public_activity=True), ANN)
    world.rate(ANN, ALIEN, 9)
    answer = client.get("/v1/me", headers=log_in(ANN))
    assert answer.json() == {
        "id": str(ANN),
        "username": "ann",
        "preferences": {"genres": ["War"], "public_activity": True, "strategy": None},
        "counts": {"ratings": 1, "favourites": 2, "hidden": 2, "playlists": 0},
    }
    assert answer["Cache-Control"] == "private, no-cache"


def test_profile_of_new_user_is_empty(client, world, log_in):
    answer = client.get("/v1/me", headers=log_in(BOB)).json()
    assert answer["username"] is None
    assert set(answer["counts"].values()) == {0}


@pytest.mark.usefixtures("flagged")
def test_favourites_are_listed_newest_first(client, log_in):
    headers = log_in(ANN)
    assert ids(client.get("/v1/me/favourites", headers=headers)) == [HEAT, ALIEN]
    assert walk(client, "/v1/me/favourites", {"limit": 1}, headers=headers) == [HEAT, ALIEN]
    assert ids(client.get("/v1/me/favourites", headers=log_in(BOB))) == []
    [first, _] = client.get("/v1/me/favourites", headers=headers).json()["items"]
    assert datetime.fromisoformat(first.pop("favourited_at")) <= datetime.now(UTC)
    assert first == client.get(f"/v1/movies/{HEAT}").json()


def test_hidden_movies_are_listed_newest_first(client, world, flagged, log_in):
    headers = log_in(ANN)
    answer = client.get("/v1/me/hidden", headers=headers)
    assert ids(answer) == [AMELIE]
    assert "hidden_at" in answer.json()["items"][0]
    world.apply_event(MovieUnhidden(user_id=ANN, movie_id=AMELIE), ANN)
    assert ids(client.get("/v1/me/hidden", headers=headers)) == []


@pytest.mark.parametrize(
    ("path", "newest_first"), [("favourites", [HEAT, ALIEN]), ("hidden", [AMELIE, ALIEN])]
)
def test_favourites_and_hidden_are_sorted_by_time(
    client, world, flagged, log_in, path, newest_first
):
    world.apply_event(MovieHidden(user_id=ANN, movie_id=ALIEN), ANN, ago=timedelta(hours=2))
    headers, path = log_in(ANN), f"/v1/me/{path}"
    for sort, expected in (("new", newest_first), ("old", newest_first[::-1])):
        assert ids(client.get(f"{path}?sort={sort}", headers=headers)) == expected
        assert walk(client, path, {"sort": sort, "limit": 1}, headers=headers) == expected
    default = client.get(f"{path}?limit=1", headers=headers).json()
    assert default == client.get(f"{path}?limit=1&sort=new", headers=headers).json()
    other = client.get(f"{path}?sort=old&cursor={default['next']}", headers=headers)
    assert other.status_code == 422


@pytest.mark.usefixtures("flagged")
def test_cursor_of_favourites_is_bound_to_owner_and_list(client, log_in):
    cursor = client.get("/v1/me/favourites?limit=1", headers=log_in(ANN)).json()["next"]
    for user, path in ((BOB, "favourites"), (ANN, "hidden"), (ANN, "ratings")):
        answer = client.get(f"/v1/me/{path}?cursor={cursor}", headers=log_in(user))
        assert answer.status_code == 422


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    "path", ["/v1/me?x=1", "/v1/me/favourites?sort=score", "/v1/me/hidden?limit=0"]
)
def test_my_lists_refuse_invalid_parameters(client, log_in, path):
    assert client.get(path, headers=log_in(ANN)).status_code == 422


def test_hidden_and_favourite_movies_are_not_recommended(client, world, log_in):
    for movie in (ALIEN, AMELIE, HEAT):
        world.rate(BOB, movie, 9)
    world.build()
    path, headers = "/v1/me/recommendations", log_in(ANN)
    assert set(ids(client.get(path, headers=headers))) == {ALIEN, AMELIE, HEAT}
    world.apply_event(MovieHidden(user_id=ANN, movie_id=ALIEN), ANN)
    world.apply_event(MovieFavourited(user_id=ANN, movie_id=HEAT), ANN)
    world.build()
    assert ids(client.get(path, headers=headers)) == [AMELIE]
    world.apply_event(MovieUnhidden(user_id=ANN, movie_id=ALIEN), ANN)
    world.build()
    assert set(ids(client.get(path, headers=headers))) == {ALIEN, AMELIE}
