"""Read-your-writes: waiting for a Log-Position, its refusals and its round trips."""

from time import sleep

import msgspec
import pytest

from events.catalogue import (
    MovieFavourited,
    MovieHidden,
    MovieRated,
    PlaylistCreated,
    PlaylistMovieAdded,
    SessionsRevoked,
)
from events.catalogue.accounts import EncryptedField
from events.notifications import waiting_readers_channel
from events.playlist_ids import playlist_id
from infra.config import config
from infra.errors import Invalid
from infra.rate_limit import sliding_window
from projectors.read_models.library.read_model import Library
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.recommendations.read_model import Recommendations
from projectors.read_models.trending.read_model import Trending
from query_api.http import read_your_writes
from query_api.http.read_your_writes import wait_seconds
from tests.fixtures import model_access
from tests.fixtures.position_header import encode_positions
from tests.query_api.conftest import ALIEN, AMELIE, ANN, BOB, HEAT, waiting

pytestmark = pytest.mark.usefixtures("world")

NIGHT = playlist_id(str(ANN), config().partitions, bytes(10))


def test_reached_position_is_answered_at_once(client, world):
    position = world.rate(ANN, ALIEN, 9)
    answer = client.get(f"/v1/movies/{ALIEN}", headers=waiting(position))
    assert answer.status_code == 200
    assert answer.json()["community"]["count"] == 1


def test_missing_position_is_503_with_the_lag(client, world):
    world.rate(ANN, ALIEN, 9, to=[])
    position = world.rate(ANN, HEAT, 9, to=[])
    answer = client.get(f"/v1/movies/{ALIEN}", headers=waiting(position))
    assert answer.status_code == 503
    assert answer["Retry-After"] == "1"
    assert answer.json()["errors"] == [
        {"field": "Log-Position", "reason": "movies is 2 events behind"}
    ]


def test_position_reached_during_the_wait_is_answered(client, world, monkeypatch):
    rated = world.record(MovieRated(user_id=ANN, movie_id=ALIEN, score=9), ANN)

    def arrive(seconds):
        """A worker applies the event while the reader sleeps for the first time."""
        if world.models[Movies].checkpoint(rated.partition) < rated.offset:
            model_access.apply(world.models[Movies], [rated])
        sleep(seconds)

    monkeypatch.setattr(read_your_writes, "sleep", arrive)
    answer = client.get(f"/v1/movies/{ALIEN}", headers=waiting(rated.position, seconds=5))
    assert answer.status_code == 200
    assert answer.json()["community"]["count"] == 1


def test_built_answer_waits_for_the_builder(client, world):
    position = world.rate(ANN, ALIEN, 9)
    assert client.get("/v1/trending", headers=waiting(position)).status_code == 503
    world.build()
    answer = client.get("/v1/trending", headers=waiting(position))
    assert [item["id"] for item in answer.json()["items"]] == [ALIEN]


def test_read_waits_for_its_own_sources_only(client, world, log_in):
    position = world.rate(ANN, ALIEN, 9, to=[Library, Movies])
    headers = {**log_in(ANN), **waiting(position)}
    assert client.get("/v1/me/ratings", headers=headers).status_code == 200
    late = client.get("/v1/me/recommendations", headers=headers)
    assert late.status_code == 503
    [error] = late.json()["errors"]
    assert error["reason"].startswith(Recommendations.name)


def test_read_waits_for_several_positions(client, world):
    second_position = world.rate(ANN, ALIEN, 9)
    missing = world.rate(ANN, HEAT, 9, to=[])
    other = second_position._replace(
        partition=(second_position.partition + 1) % config().partitions
    )
    assert client.get("/v1/movies/1", headers=waiting(second_position)).status_code == 200
    assert client.get("/v1/movies/1", headers=waiting(second_position, missing)).status_code == 503
    joined = f"{encode_positions([second_position])}, {encode_positions([other])}"
    assert client.get("/v1/movies/1", headers={"Log-Position": joined, "Prefer": "wait=0"})


@pytest.mark.parametrize("header", ["", "x", "1:2", "AAAA,BBBB"])
def test_malformed_position_is_refused(client, header):
    answer = client.get("/v1/movies/1", headers={"Log-Position": header})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["Log-Position"]


@pytest.mark.parametrize("prefer", ["wait=6", "wait=-1", "wait=x", "wait=", "wait=1.5"])
def test_wait_beyond_five_seconds_is_refused(client, world, prefer):
    headers = {"Log-Position": encode_positions([world.rate(ANN, ALIEN, 9)]), "Prefer": prefer}
    answer = client.get("/v1/movies/1", headers=headers)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["Prefer"]


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("", 1),
        ("wait=3", 3),
        ("respond-async, wait=3", 3),
        ('WAIT = "0"', 0),
        ("handling=lenient; wait=2", 2),
        ("await=9", 1),
    ],
)
def test_wait_is_read_from_prefer(prefer, seconds):
    assert wait_seconds(prefer) == seconds


def test_huge_wait_is_refused():
    with pytest.raises(Invalid):
        wait_seconds("wait=99999")


def test_half_of_the_threads_never_wait(client, world):
    missing = waiting(world.rate(ANN, ALIEN, 9, to=[]))
    places = [
        read_your_writes._waiting_threads.acquire(blocking=False)
        for _ in range(config().server_threads // 2)
    ]
    try:
        assert all(places)
        answer = client.get("/v1/movies/1", headers=missing)
        assert answer.status_code == 503
        assert answer.json()["detail"].startswith("Too many reads are waiting")
        assert client.get("/v1/movies/1").status_code == 200
    finally:
        for _ in places:
            read_your_writes._waiting_threads.release()


def test_parked_position_is_named_in_log_parked(client, world, log_in):
    rated = world.record(MovieRated(user_id=ANN, movie_id=ALIEN, score=9), ANN)
    world.park(Library, rated)
    model_access.apply(world.models[Movies], [rated])
    headers = {**log_in(ANN), **waiting(rated.position)}
    answer = client.get("/v1/me/ratings", headers=headers)
    assert (answer.status_code, answer["Log-Parked"]) == (200, "library")
    assert answer.json()["items"] == []
    card = client.get(f"/v1/movies/{ALIEN}", headers=headers)
    assert (card.status_code, "Log-Parked" in card) == (200, False)


def test_log_parked_is_absent_for_other_positions(client, world, log_in):
    before = world.rate(ANN, ALIEN, 9)
    rated = world.record(MovieRated(user_id=ANN, movie_id=HEAT, score=9), ANN)
    world.park(Library, rated)
    headers = log_in(ANN)
    assert "Log-Parked" not in client.get("/v1/me/ratings", headers=headers)
    answer = client.get("/v1/me/ratings", headers={**headers, **waiting(before)})
    assert (answer.status_code, "Log-Parked" in answer) == (200, False)


def test_parked_position_of_a_lagging_source_is_waited_for(client, world):
    rated = world.record(MovieRated(user_id=ANN, movie_id=ALIEN, score=9), ANN)
    world.park(Trending, rated)
    model_access.apply(world.models[Movies], [rated])
    late = client.get("/v1/trending", headers=waiting(rated.position))
    assert late.status_code == 503
    world.build()
    headers = {**waiting(rated.position), "If-None-Match": "*"}
    answer = client.get("/v1/trending", headers=headers)
    assert (answer.status_code, answer["Log-Parked"]) == (304, "trending")


@pytest.mark.parametrize(
    ("path", "trips"),
    [
        (f"/v1/movies/{ALIEN}", 1),
        ("/v1/me", 1),
        ("/v1/me/ratings", 2),
        ("/v1/me/favourites", 2),
        ("/v1/me/hidden", 2),
        ("/v1/me/playlists", 2),
        (f"/v1/playlists/{NIGHT}", 2),
        ("/v1/me/recommendations", 2),
    ],
)
def test_read_of_a_reached_position_takes_two_round_trips_at_most(
    client, world, log_in, round_trips, path, trips
):
    """One trip for checks, position and data, one for the cards or playlists."""
    world.rate(BOB, HEAT, 9)
    world.apply_event(MovieFavourited(user_id=ANN, movie_id=ALIEN), ANN)
    world.apply_event(MovieHidden(user_id=ANN, movie_id=AMELIE), ANN)
    world.apply_event(
        PlaylistCreated(playlist_id=NIGHT, user_id=ANN, name=EncryptedField("Night shift")), ANN
    )
    world.apply_event(
        PlaylistMovieAdded(playlist_id=NIGHT, user_id=ANN, movie_id=ALIEN, rank=1), ANN
    )
    position = world.rate(ANN, ALIEN, 9)
    world.build()
    world.build()
    headers = {**log_in(ANN), **waiting(position)}
    client.get(path, headers=headers)  # opens the connection
    round_trips.clear()
    assert client.get(path, headers=headers).status_code == 200
    assert len(round_trips) == trips


@pytest.fixture
def no_sleep(monkeypatch):
    """Fails a read that polls."""

    def sleeping(_seconds):
        raise AssertionError

    monkeypatch.setattr(read_your_writes, "sleep", sleeping)


@pytest.mark.usefixtures("no_sleep")
def test_revoked_token_is_refused_before_waiting(client, world, log_in):
    revoked = log_in(ANN)
    world.apply_event(SessionsRevoked(user_id=ANN, epoch=1), ANN)
    missing = waiting(world.rate(ANN, ALIEN, 9, to=[]), seconds=5)
    assert client.get("/v1/me/ratings", headers={**revoked, **missing}).status_code == 401


@pytest.mark.usefixtures("no_sleep")
def test_read_over_the_rate_limit_is_refused_before_waiting(client, world, log_in, monkeypatch):
    limited = msgspec.structs.replace(config(), throttle_user_per_minute=1)
    monkeypatch.setattr(sliding_window, "config", lambda: limited)
    headers = log_in(ANN)
    while client.get("/v1/me", headers=headers).status_code == 200:
        pass
    missing = waiting(world.rate(ANN, ALIEN, 9, to=[]), seconds=5)
    assert client.get("/v1/me/ratings", headers={**headers, **missing}).status_code == 429


def test_token_revoked_during_the_wait_is_refused(client, world, log_in, monkeypatch):
    rated = world.record(MovieRated(user_id=ANN, movie_id=ALIEN, score=9), ANN)
    headers = {**log_in(ANN), **waiting(rated.position, seconds=5)}

    def revoke(_seconds):
        for model in world.models.values():
            model_access.apply(model, [rated])
        world.apply_event(SessionsRevoked(user_id=ANN, epoch=1), ANN)

    monkeypatch.setattr(read_your_writes, "sleep", revoke)
    assert client.get("/v1/me/ratings", headers=headers).status_code == 401


def test_malformed_position_is_reported_after_the_checks_and_counts(client, world, log_in, redis):
    headers = {**log_in(ANN), "Log-Position": "x"}
    assert client.get("/v1/me/ratings", headers=headers).status_code == 422
    [key] = redis.keys("throttle:query:{read:*")
    assert int(redis.get(key)) == 1
    world.apply_event(SessionsRevoked(user_id=ANN, epoch=1), ANN)
    assert client.get("/v1/me/ratings", headers=headers).status_code == 401


def test_waiting_read_wakes_the_builder(client, world, redis):
    with redis.pubsub(ignore_subscribe_messages=True) as subscriber:
        subscriber.subscribe(waiting_readers_channel())
        assert subscriber.get_message(timeout=5) is None  # reply to SUBSCRIBE
        client.get("/v1/trending", headers=waiting(world.rate(ANN, ALIEN, 9)))
        message = subscriber.get_message(timeout=20)
        assert message["data"] == b"trending"


def test_unauthenticated_read_is_refused_before_waiting(client, world):
    missing = waiting(world.rate(ANN, ALIEN, 9, to=[]), seconds=5)
    bad = {**missing, "Authorization": "Bearer x.y.z"}
    assert client.get("/v1/movies/1", headers=bad).status_code == 401
    assert client.get("/v1/me/ratings", headers=missing).status_code == 401
