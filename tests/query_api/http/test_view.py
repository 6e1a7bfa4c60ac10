"""Do all reads tag, age, count and check alike?"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from redis import Redis
from redis.exceptions import ResponseError

from events.catalogue import SessionRevoked, SessionsRevoked
from infra import clients
from infra.config import config
from infra.rate_limit import sliding_window
from infra.security.access_tokens import mint_access
from projectors.generations.live import GENERATIONS_KEY, LEVEL_KEY
from projectors.read_models.sessions.read_model import SessionRevocations
from query_api.http import request
from tests.query_api.conftest import ALIEN, ANN, BOB, waiting

pytestmark = pytest.mark.usefixtures("world")

PUBLIC = ("/v1/movies/1", "/v1/trending", "/v1/genres")
PERSONAL = ("/v1/me/ratings", "/v1/me/recommendations")


@pytest.mark.parametrize("path", PUBLIC)
def test_what_a_public_answer_says_of_itself(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert int(answer["Log-Age"]) >= 2  # level a second and a half ago, or more
    assert answer["Cache-Control"].startswith("public, max-age=")
    assert answer["Vary"] == "Log-Position, As-Of"
    assert answer["RateLimit-Limit"] == str(config().throttle_anonymous_per_minute)


@pytest.mark.parametrize("path", PERSONAL)
def test_what_a_personal_answer_says_of_itself(client, path, log_in):
    answer = client.get(path, headers=log_in(ANN))
    assert answer.status_code == 200
    assert int(answer["Log-Age"]) >= 2  # level a second and a half ago, or more
    assert answer["Cache-Control"] == "private, no-cache"
    assert answer["Vary"] == "Authorization"
    assert answer["RateLimit-Limit"] == str(config().throttle_user_per_minute)


@pytest.mark.parametrize("path", PUBLIC)
def test_known_bytes_are_not_sent_again(client, path):
    first = client.get(path)
    for known in (first["ETag"], f'"x", W/{first["ETag"]}', "*"):
        again = client.get(path, headers={"If-None-Match": known})
        assert again.status_code == 304
        assert again.content == b""
        assert (again["ETag"], again["Cache-Control"]) == (first["ETag"], first["Cache-Control"])
        assert "Content-Type" not in again
    assert client.get(path, headers={"If-None-Match": '"x"'}).status_code == 200


def test_other_bytes_have_another_tag(client, world):
    before = client.get("/v1/movies/1")["ETag"]
    world.rate(ANN, ALIEN, 9)
    answer = client.get("/v1/movies/1", headers={"If-None-Match": before})
    assert answer.status_code == 200
    assert answer["ETag"] != before


@pytest.mark.parametrize("path", PERSONAL)
def test_without_a_token(client, path):
    answer = client.get(path)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", PUBLIC + PERSONAL)
@pytest.mark.parametrize("header", ["Bearer x.y.z", "Bearer", "Basic YTpi", "é"])
def test_with_a_bad_token(client, path, header):
    assert client.get(path, headers={"Authorization": header}).status_code == 401


@pytest.mark.parametrize("path", PUBLIC + PERSONAL)
def test_log_out_everywhere_holds(client, world, path, log_in):
    old, new = log_in(ANN, epoch=0), log_in(ANN, epoch=1)
    assert client.get(path, headers=old).status_code == 200
    world.happen(SessionsRevoked(user_id=ANN, epoch=1), ANN)
    refused = client.get(path, headers=old)
    assert refused.status_code == 401
    assert refused.json()["detail"] == "The access token was revoked."
    assert client.get(path, headers=new).status_code == 200


def test_one_log_out_ends_one_family(client, world, log_in):
    mine, other = log_in(ANN, family=UUID(int=1)), log_in(ANN, family=UUID(int=2))
    later = datetime.now(UTC) + timedelta(minutes=5)
    world.happen(SessionRevoked(user_id=ANN, family=UUID(int=1), expires_at=later), ANN)
    assert client.get("/v1/me/ratings", headers=mine).status_code == 401
    assert client.get("/v1/me/ratings", headers=other).status_code == 200
    assert client.get("/v1/me/ratings", headers=log_in(BOB)).status_code == 200


def test_a_revoked_token_does_not_learn_that_nothing_changed(client, world, log_in):
    headers = log_in(ANN)
    tag = client.get("/v1/me/ratings", headers=headers)["ETag"]
    world.happen(SessionsRevoked(user_id=ANN, epoch=1), ANN)
    answer = client.get("/v1/me/ratings", headers={**headers, "If-None-Match": tag})
    assert answer.status_code == 401


def test_too_often(client, monkeypatch):
    strict = msgspec.structs.replace(config(), throttle_anonymous_per_minute=2)
    monkeypatch.setattr(sliding_window, "config", lambda: strict)
    monkeypatch.setattr(sliding_window, "time", lambda: 1_700_000_000.0)  # no minute ends meanwhile
    statuses = [client.get("/v1/genres").status_code for _ in range(2)]
    assert statuses == [200, 200]
    answer = client.get("/v1/genres")
    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 120
    assert answer["RateLimit-Remaining"] == "0"


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/me/ratings", {"Authorization": "Bearer x.y.z"}, 401),
        ("/v1/me", {}, 401),
        ("/v1/genres", {"As-Of": "then"}, 401),
        ("/v1/movies/99", {}, 404),
        ("/v1/movies/99/similar", {}, 404),
        ("/v1/playlists/none", {}, 404),
        ("/v1/genres", {"Log-Position": "none"}, 422),
    ],
)
def test_who_is_refused_is_told_how_often_they_may_ask(client, path, headers, status):
    answer = client.get(path, headers=headers)
    assert answer.status_code == status
    left = config().throttle_anonymous_per_minute - 1
    assert answer["RateLimit-Limit"] == str(config().throttle_anonymous_per_minute)
    assert answer["RateLimit-Remaining"] == str(left)
    assert 1 <= int(answer["RateLimit-Reset"]) <= 60


def test_so_is_who_is_logged_in(client, world, redis, log_in):
    headers, limit = log_in(ANN), str(config().throttle_user_per_minute)
    position = world.record(SessionsRevoked(user_id=ANN, epoch=1), ANN).position
    refused = [
        client.get("/v1/genres", headers=headers | {"As-Of": "then"}),
        client.get("/v1/me", headers=headers | waiting(position)),
    ]
    world.models[SessionRevocations].apply(world.log[-1:])
    refused.append(client.get("/v1/me", headers=headers))
    redis.delete(GENERATIONS_KEY)
    refused.append(client.get("/v1/genres", headers=headers))
    assert [answer.status_code for answer in refused] == [403, 503, 401, 503]
    assert [answer["RateLimit-Limit"] for answer in refused] == [limit] * len(refused)


def test_what_was_not_counted_says_nothing(client):
    answer = client.get("/v1/trending?window=month")
    assert answer.status_code == 422
    assert "RateLimit-Limit" not in answer


def test_guessing_tokens_counts(client, redis):
    client.get("/v1/me/ratings", headers={"Authorization": "Bearer x.y.z"})
    [key] = redis.keys("throttle:query:{read:*")
    assert int(redis.get(key)) == 1


@pytest.mark.parametrize("path", PUBLIC)
def test_while_a_model_is_built(client, redis, path):
    redis.delete(GENERATIONS_KEY)
    request.live.cache_clear()
    answer = client.get(path)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert "is being built" in answer.json()["detail"]


def test_an_age_that_is_not_known_is_not_told(client, redis):
    redis.delete(LEVEL_KEY)
    request.live.cache_clear()
    assert "Log-Age" not in client.get("/v1/genres")


def test_a_fault_is_a_problem_without_its_insides(client, redis, world):
    """A key of the wrong type, as only a bug would leave it."""
    key = next(iter(redis.scan_iter(match=f"*state:movie:{ALIEN}")))
    redis.delete(key)
    redis.set(key, "x")
    answer = client.get(f"/v1/movies/{ALIEN}")
    assert answer.status_code == 500
    assert answer["Content-Type"] == "application/problem+json"
    assert "WRONGTYPE" not in answer.content.decode()


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/nothing", "/v1/movies/1/"])
def test_addresses_that_are_not_there(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_a_token_of_the_future_epoch_counts(client):
    token = mint_access(ANN, UUID(int=1), 7)
    answer = client.get("/v1/me/ratings", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", PUBLIC + PERSONAL)
def test_without_redis_nothing_is_answered(client, path, log_in, monkeypatch):
    headers = log_in(ANN)
    request.live.cache_clear()
    with Redis(port=1) as away:
        monkeypatch.setattr(clients, "redis", lambda: away)
        answer = client.get(path, headers=headers)
    request.live.cache_clear()
    assert answer.status_code == 503
    assert answer["Retry-After"] == "1"
    assert answer["Content-Type"] == "application/problem+json"


def test_the_query_side_can_not_write(world, query_redis_url):
    """What the views run as: it may count and keep, and nothing else."""
    with Redis.from_url(query_redis_url) as as_query:
        assert as_query.set("cache:x", 1, ex=5)
        for attempt in (
            lambda: as_query.set("x", 1),
            lambda: as_query.hset(GENERATIONS_KEY, "movies", 9),
            lambda: as_query.delete(GENERATIONS_KEY),
            lambda: as_query.eval("return redis.call('SET', KEYS[1], 1)", 1, "x"),
            lambda: as_query.config_get("*"),
            as_query.flushall,
        ):
            with pytest.raises(ResponseError):
                attempt()
