"""As-Of: answers of the past, for staff only."""

from itertools import takewhile
from uuid import UUID

import pytest

from events.catalogue import (
    MovieAdded,
    MovieFavourited,
    MovieHidden,
    PlaylistCreated,
    PlaylistDeleted,
    PlaylistMovieAdded,
    PlaylistRenamed,
    PlaylistShown,
    SessionsRevoked,
)
from events.catalogue.accounts import EncryptedField
from events.playlist_ids import playlist_id
from infra.config import config
from projectors.generations.live import PAST_KEY
from projectors.generations.pointers import Pointers
from projectors.read_models.library.read_model import Library
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.playlists.read_model import Playlists
from projectors.read_models.recommendations.read_model import Recommendations
from projectors.read_models.sessions.read_model import SessionRevocations
from projectors.read_models.similarity.read_model import Similarity
from projectors.read_models.suggestions.read_model import Suggestions
from projectors.read_models.trending.read_model import Trending
from tests.fixtures.position_header import encode_positions
from tests.query_api.conftest import ALIEN, AMELIE, ANN, BOB, HEAT, UNKNOWN

CAROL = UUID(int=0xC)
AS_OF = {"As-Of": "then"}
NIGHT, DAY = (playlist_id(str(ANN), config().partitions, bytes([n] * 10)) for n in (1, 2))
MODEL_OF = {
    f"/v1/movies/{ALIEN}": "movies",
    f"/v1/movies/{ALIEN}/similar": "similarity",
    "/v1/genres": "movies",
    "/v1/trending": "trending",
    "/v1/trending?limit=5": "trending",
    "/v1/trending?genre=Drama": "trending",
    "/v1/suggestions?q=a": "suggestions",
    "/v1/search?q=alien": "search",
    "/v1/discover": "search",
    "/v1/playlists": "library",
    f"/v1/playlists/{NIGHT}": "library",
    "/v1/me": "library",
    "/v1/me/ratings": "library",
    "/v1/me/favourites": "library",
    "/v1/me/hidden": "library",
    "/v1/me/playlists": "library",
    "/v1/me/recommendations": "recommendations",
    "/v1/me/recommendations?limit=5": "recommendations",
}
KEPT_MODELS = (Movies, Library, Playlists, Similarity, Suggestions, Recommendations, Trending)
ANSWERED = [path for path, model in MODEL_OF.items() if model != "search"]


def ids(answer):
    assert answer.status_code == 200, answer.content
    return [item["id"] for item in answer.json()["items"]]


def listed(id_, name, visibility="public"):
    return PlaylistCreated(
        playlist_id=id_, user_id=ANN, name=EncryptedField(name), visibility=visibility
    )


def added_movie(id_, title, genre):
    return MovieAdded(movie_id=id_, title=title, year=1986, genres=(genre, "Drama"), cast=())


def show(id_, visibility):
    return PlaylistShown(playlist_id=id_, user_id=ANN, visibility=visibility)


@pytest.fixture
def staff(log_in):
    """Ann is one of the staff."""
    return log_in(ANN, is_staff=True)


@pytest.fixture
def night(world):
    """Ann's public playlist."""
    world.apply_event(listed(NIGHT, "Night shift"), ANN)
    added = PlaylistMovieAdded(playlist_id=NIGHT, user_id=ANN, movie_id=HEAT, rank=1)
    world.apply_event(added, ANN)


@pytest.fixture
def activity(world, night):
    """Events of every read model."""
    world.apply_event(added_movie(8, "Blade Runner", "Science Fiction"), 8)
    for user, movie in ((ANN, HEAT), (BOB, HEAT), (ANN, ALIEN), (BOB, ALIEN)):
        world.rate(user, movie, 9)
    world.apply_event(MovieFavourited(user_id=ANN, movie_id=ALIEN), ANN)
    world.apply_event(MovieHidden(user_id=ANN, movie_id=AMELIE), ANN)
    world.build()
    world.build()


def apply_more_events(world):
    """More events, after which every model answers differently."""
    world.apply_event(added_movie(7, "Aliens", "Horror"), 7)
    for user in (BOB, CAROL):
        world.rate(user, 7, 10)
    world.rate(ANN, AMELIE, 4)
    world.apply_event(MovieFavourited(user_id=ANN, movie_id=7), ANN)
    world.apply_event(MovieHidden(user_id=ANN, movie_id=HEAT), ANN)
    world.rate(BOB, AMELIE, 10)
    world.apply_event(listed(DAY, "Day shift"), ANN)
    world.apply_event(
        PlaylistRenamed(playlist_id=NIGHT, user_id=ANN, name=EncryptedField("Late")), ANN
    )
    world.rate(CAROL, ALIEN, 2)
    world.build()
    world.build()


def body_without_time(answer):
    """Body of an answer without the time at which it was made."""
    assert answer.status_code == 200, answer.content
    return {name: value for name, value in answer.json().items() if name != "as_of"}


def test_as_of_answers_are_of_the_past(client, world, activity, staff):
    before = {path: body_without_time(client.get(path, headers=staff)) for path in ANSWERED}
    world.keep("then", *KEPT_MODELS)
    apply_more_events(world)
    for path in ANSWERED:
        assert body_without_time(client.get(path, headers=staff | AS_OF)) == before[path], path
        assert body_without_time(client.get(path, headers=staff)) != before[path], path


@pytest.mark.parametrize("path", MODEL_OF)
def test_as_of_is_for_staff_only(client, world, path, log_in):
    world.keep("then", *KEPT_MODELS)
    for label in ("then", "never"):
        anonymous = client.get(path, headers={"As-Of": label})
        assert anonymous.status_code == 401
        assert anonymous["WWW-Authenticate"] == "Bearer"
        answer = client.get(path, headers=log_in(BOB) | {"As-Of": label})
        assert answer.status_code == 403
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["detail"] == "Only staff may send As-Of."


@pytest.mark.parametrize(("path", "model"), MODEL_OF.items())
def test_unknown_label_is_404(client, world, staff, path, model):
    answer = client.get(path, headers=staff | {"As-Of": "never"})
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"] == f"There is no {model} as of never."


def test_dropped_label_is_404(client, world, staff):
    world.keep("then", Trending)
    assert client.get("/v1/trending", headers=staff | AS_OF).status_code == 200
    Pointers(world.redis).forget("then", "trending")
    assert client.get("/v1/trending", headers=staff | AS_OF).status_code == 404


@pytest.mark.parametrize("label", ["", " ", "then:trending", "é", "x" * 2000, "../then"])
def test_malformed_label_is_refused(client, world, staff, label):
    world.keep("then", Trending)
    answer = client.get("/v1/trending", headers=staff | {"As-Of": label})
    assert answer.status_code == 404


@pytest.mark.parametrize("label", ["then", "never"])
def test_revoked_token_learns_nothing_of_labels(client, world, staff, label):
    world.keep("then", Trending, SessionRevocations)
    world.apply_event(SessionsRevoked(user_id=ANN, epoch=1), ANN)  # absent in the past
    answer = client.get("/v1/trending", headers=staff | {"As-Of": label})
    assert answer.status_code == 401
    assert answer.json()["detail"] == "The access token was revoked."


def test_as_of_without_kept_cards_shows_current_ones(client, world, activity, staff):
    world.keep("then", Trending)
    world.rate(BOB, ALIEN, 1)
    board = client.get("/v1/trending?limit=5", headers=staff | AS_OF).json()["items"]
    card = client.get(f"/v1/movies/{ALIEN}").json()
    [alien] = [item for item in board if item["id"] == ALIEN]
    assert alien == card | {"heat": alien["heat"]}
    assert client.get(f"/v1/movies/{ALIEN}", headers=staff | AS_OF).status_code == 404


def test_as_of_answer_has_no_age_and_is_not_shared(client, world, activity, staff):
    world.keep("then", *KEPT_MODELS)
    for path in ANSWERED:
        answer = client.get(path, headers=staff | AS_OF)
        assert answer["Cache-Control"] == "private, no-cache"
        assert answer["Vary"] == "Authorization, As-Of"
        assert "Log-Age" not in answer
        is_search = path.startswith("/v1/suggestions")
        limits = config().throttle_search_per_minute, config().throttle_user_per_minute
        assert answer["RateLimit-Limit"] == str(limits[0] if is_search else limits[1])
        conditional = client.get(path, headers=staff | AS_OF | {"If-None-Match": answer["ETag"]})
        assert conditional.status_code == 304
        assert (conditional["Cache-Control"], conditional["Vary"]) == (
            "private, no-cache",
            "Authorization, As-Of",
        )


def test_etag_of_now_does_not_match_the_past(client, world, activity, staff):
    world.keep("then", *KEPT_MODELS)
    apply_more_events(world)
    for path in ANSWERED:
        now = client.get(path, headers=staff)["ETag"]
        answer = client.get(path, headers=staff | AS_OF | {"If-None-Match": now})
        assert answer.status_code == 200


def test_as_of_request_counts_once(client, world, staff):
    world.keep("then", Trending)
    remaining = [
        int(client.get("/v1/trending", headers=staff | AS_OF)["RateLimit-Remaining"])
        for _ in range(2)
    ]
    assert remaining[1] in (remaining[0] - 1, config().throttle_user_per_minute - 1)


@pytest.mark.parametrize("path", ["/v1/trending", "/v1/me/ratings"])
def test_as_of_with_log_position_is_refused(client, world, staff, path, log_in):
    world.keep("then", Trending, Library)
    position = {"Log-Position": encode_positions([world.rate(BOB, ALIEN, 9)])}
    answer = client.get(path, headers=staff | AS_OF | position)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["Log-Position"]
    assert client.get(path, headers=log_in(BOB) | AS_OF | position).status_code == 403


def test_request_without_as_of_reads_no_past(client, world, activity, staff):
    with world.redis.monitor() as monitor:
        for path in ANSWERED:
            client.get(path, headers=staff)
        world.redis.get("that was all")
        commands = takewhile(
            lambda command: "that was all" not in command, sent_commands(monitor, world.redis)
        )
        assert not [command for command in commands if PAST_KEY in command]
        client.get("/v1/genres", headers=staff | AS_OF)
        world.redis.get("that was all")
        commands = takewhile(
            lambda command: "that was all" not in command, sent_commands(monitor, world.redis)
        )
        assert [command for command in commands if PAST_KEY in command] == [
            f"HGET {PAST_KEY} then:movies"
        ]


def sent_commands(monitor, redis):
    """Commands sent to this test's database."""
    database = redis.connection_pool.connection_kwargs.get("db", 0)
    return (command["command"] for command in monitor.listen() if command["db"] == database)


# -------------------------------------------------------------------------- who may see what


@pytest.fixture
def bob(log_in):
    """Make Bob staff, too."""
    return log_in(BOB, is_staff=True)


def test_playlist_private_today_is_not_shown(client, world, night, staff, bob):
    world.keep("then", Library, Playlists)
    assert ids(client.get("/v1/playlists", headers=bob | AS_OF)) == [NIGHT]
    as_of_answer = client.get(f"/v1/playlists/{NIGHT}", headers=bob | AS_OF)
    assert ids(as_of_answer) == [HEAT]
    world.apply_event(show(NIGHT, "private"), ANN)
    for more in ({}, {"If-None-Match": as_of_answer["ETag"]}, {"If-None-Match": "*"}):
        answer = client.get(f"/v1/playlists/{NIGHT}", headers=bob | AS_OF | more)
        assert answer.status_code == 404
        assert answer.json()["detail"] == "There is no such playlist."
    assert ids(client.get("/v1/playlists", headers=bob | AS_OF)) == []
    assert ids(client.get("/v1/playlists?q=night", headers=bob | AS_OF)) == []
    playlist = client.get(f"/v1/playlists/{NIGHT}", headers=staff | AS_OF).json()
    assert playlist["visibility"] == "public"  # as it was, for its owner
    assert ids(client.get("/v1/me/playlists", headers=staff | AS_OF)) == [NIGHT]


def test_deleted_playlist_is_shown_to_its_owner_only(client, world, night, staff, bob):
    world.keep("then", Library, Playlists)
    world.apply_event(PlaylistDeleted(playlist_id=NIGHT, user_id=ANN), ANN)
    assert client.get(f"/v1/playlists/{NIGHT}", headers=bob | AS_OF).status_code == 404
    assert ids(client.get("/v1/playlists", headers=bob | AS_OF)) == []
    assert ids(client.get(f"/v1/playlists/{NIGHT}", headers=staff | AS_OF)) == [HEAT]


def test_later_movie_is_not_in_the_past(client, world, staff):
    world.keep("then", Library, Playlists)
    world.apply_event(listed(NIGHT, "Night shift"), ANN)
    assert client.get(f"/v1/playlists/{NIGHT}", headers=staff | AS_OF).status_code == 404
    assert ids(client.get("/v1/playlists", headers=staff | AS_OF)) == []


def test_as_of_personal_answers_are_the_callers_own(client, world, activity, staff, bob):
    world.keep("then", Library, Recommendations)
    world.rate(BOB, UNKNOWN, 5)
    assert client.get("/v1/me", headers=bob | AS_OF).json()["counts"]["ratings"] == 2
    assert set(ids(client.get("/v1/me/ratings", headers=bob | AS_OF))) == {ALIEN, HEAT}
    assert ids(client.get("/v1/me/favourites", headers=bob | AS_OF)) == []
    assert ids(client.get("/v1/me/favourites", headers=staff | AS_OF)) == [ALIEN]
