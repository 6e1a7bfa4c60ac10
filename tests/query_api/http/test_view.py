"""Read views: tags, ages, rate limits, tokens and faults of every read."""

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
from tests.fixtures import model_access
from tests.query_api.conftest import ALIEN, ANN, BOB, waiting

pytestmark = pytest.mark.usefixtures("world")

PUBLIC = ("/v1/movies/1", "/v1/trending", "/v1/genres")
PERSONAL = ("/v1/me/ratings", "/v1/me/recommendations")


@pytest.mark.parametrize("path", PUBLIC)
def test_public_answer_headers(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert int(answer["Log-Age"]) >= 2  # level at least a second and a half ago
    assert answer["Cache-Control"].startswith("public, max-age=")
    assert answer["Vary"] == "Log-Position, As-Of"
    assert answer["RateLimit-Limit"] == str(config().throttle_anonymous_per_minute)


@pytest.mark.parametrize("path", PERSONAL)
def test_personal_answer_headers(client, path, log_in):
    answer = client.get(path, headers=log_in(ANN))
    assert answer.status_code == 200
    assert int(answer["Log-Age"]) >= 2  # level at least a second and a half ago
    assert answer["Cache-Control"] == "private, no-cache"
    assert answer["Vary"] == "Authorization"
    assert answer["RateLimit-Limit"] == str(config().throttle_user_per_minute)


@pytest.mark.parametrize("path", PUBLIC)
def test_matching_etag_is_304(client, path):
    first = client.get(path)
    for if_none_match in (first["ETag"], f'"x", W/{first["ETag"]}', "*"):
        conditional = client.get(path, headers={"If-None-Match": if_none_match})
        assert conditional.status_code == 304
        assert conditional.content == b""
        assert (conditional["ETag"], conditional["Cache-Control"]) == (
            first["ETag"],
            first["Cache-Control"],
        )
        assert "Content-Type" not in conditional
    assert client.get(path, headers={"If-None-Match": '"x"'}).status_code == 200


def test_changed_answer_has_another_etag(client, world):
    before = client.get("/v1/movies/1")["ETag"]
    world.rate(ANN, ALIEN, 9)
    answer = client.get("/v1/movies/1", headers={"If-None-Match": before})
    assert answer.status_code == 200
    assert answer["ETag"] != before


@pytest.mark.parametrize("path", PERSONAL)
def test_personal_read_without_token_is_401(client, path):
    answer = client.get(path)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", PUBLIC + PERSONAL)
@pytest.mark.parametrize("header", ["Bearer x.y.z", "Bearer", "Basic YTpi", "é"])
def test_invalid_token_is_401(client, path, header):
    assert client.get(path, headers={"Authorization": header}).status_code == 401


@pytest.mark.parametrize("path", PUBLIC + PERSONAL)
def test_log_out_everywhere_revokes_tokens(client, world, path, log_in):
    old, new = log_in(ANN, epoch=0), log_in(ANN, epoch=1)
    assert client.get(path, headers=old).status_code == 200
    world.apply_event(SessionsRevoked(user_id=ANN, epoch=1), ANN)
    refused = client.get(path, headers=old)
    assert refused.status_code == 401
    assert refused.json()["detail"] == "The access token was revoked."
    assert client.get(path, headers=new).status_code == 200


def test_log_out_revokes_one_family(client, world, log_in):
    revoked, other_family = log_in(ANN, family=UUID(int=1)), log_in(ANN, family=UUID(int=2))
    later = datetime.now(UTC) + timedelta(minutes=5)
    world.apply_event(SessionRevoked(user_id=ANN, family=UUID(int=1), expires_at=later), ANN)
    assert client.get("/v1/me/ratings", headers=revoked).status_code == 401
    assert client.get("/v1/me/ratings", headers=other_family).status_code == 200
    assert client.get("/v1/me/ratings", headers=log_in(BOB)).status_code == 200


def test_revoked_token_gets_no_304(client, world, log_in):
    headers = log_in(ANN)
    tag = client.get("/v1/me/ratings", headers=headers)["ETag"]
    world.apply_event(SessionsRevoked(user_id=ANN, epoch=1), ANN)
    answer = client.get("/v1/me/ratings", headers={**headers, "If-None-Match": tag})
    assert answer.status_code == 401


def test_read_beyond_the_limit_is_429(client, monkeypatch):
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
def test_refusal_has_rate_limit_headers(client, path, headers, status):
    answer = client.get(path, headers=headers)
    assert answer.status_code == status
    remaining = config().throttle_anonymous_per_minute - 1
    assert answer["RateLimit-Limit"] == str(config().throttle_anonymous_per_minute)
    assert answer["RateLimit-Remaining"] == str(remaining)
    assert 1 <= int(answer["RateLimit-Reset"]) <= 60


def test_refusal_of_a_user_has_rate_limit_headers(client, world, redis, log_in):
    headers, limit = log_in(ANN), str(config().throttle_user_per_minute)
    position = world.record(SessionsRevoked(user_id=ANN, epoch=1), ANN).position
    refused = [
        client.get("/v1/genres", headers=headers | {"As-Of": "then"}),
        client.get("/v1/me", headers=headers | waiting(position)),
    ]
    model_access.apply(world.models[SessionRevocations], world.log[-1:])
    refused.append(client.get("/v1/me", headers=headers))
    redis.delete(GENERATIONS_KEY)
    refused.append(client.get("/v1/genres", headers=headers))
    assert [answer.status_code for answer in refused] == [403, 503, 401, 503]
    assert [answer["RateLimit-Limit"] for answer in refused] == [limit] * len(refused)


def test_uncounted_refusal_has_no_rate_limit_headers(client):
    answer = client.get("/v1/trending?window=month")
    assert answer.status_code == 422
    assert "RateLimit-Limit" not in answer


def test_invalid_token_counts(client, redis):
    client.get("/v1/me/ratings", headers={"Authorization": "Bearer x.y.z"})
    [key] = redis.keys("throttle:query:{read:*")
    assert int(redis.get(key)) == 1


@pytest.mark.parametrize("path", PUBLIC)
def test_model_being_built_is_503(client, redis, path):
    redis.delete(GENERATIONS_KEY)
    request.live.cache_clear()
    answer = client.get(path)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert "is being built" in answer.json()["detail"]


def test_unknown_age_is_not_sent(client, redis):
    redis.delete(LEVEL_KEY)
    request.live.cache_clear()
    assert "Log-Age" not in client.get("/v1/genres")


def test_fault_is_problem_without_internals(client, redis, world):
    """A key of the wrong type, as only a bug would leave."""
    key = next(iter(redis.scan_iter(match=f"*state:movie:{ALIEN}")))
    redis.delete(key)
    redis.set(key, "x")
    answer = client.get(f"/v1/movies/{ALIEN}")
    assert answer.status_code == 500
    assert answer["Content-Type"] == "application/problem+json"
    assert "WRONGTYPE" not in answer.content.decode()


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/nothing", "/v1/movies/1/"])
def test_unknown_url_is_404(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_token_of_a_later_epoch_is_valid(client):
    token = mint_access(ANN, UUID(int=1), 7)
    answer = client.get("/v1/me/ratings", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", PUBLIC + PERSONAL)
def test_read_without_redis_is_503(client, path, log_in, monkeypatch):
    headers = log_in(ANN)
    request.live.cache_clear()
    with Redis(port=1) as unreachable:
        monkeypatch.setattr(clients, "redis", lambda: unreachable)
        answer = client.get(path, headers=headers)
    request.live.cache_clear()
    assert answer.status_code == 503
    assert answer["Retry-After"] == "1"
    assert answer["Content-Type"] == "application/problem+json"


def test_query_api_cannot_write_read_models(world, query_redis_url):
    """The views' Redis user may count requests, nothing else (tests/infra/test_redis_users.py)."""
    with Redis.from_url(query_redis_url) as as_query:
        assert as_query.incr("throttle:query:x") == 1
        for attempt in (
            lambda: as_query.set("cache:x", 1, ex=5),
            lambda: as_query.set("x", 1),
            lambda: as_query.hset(GENERATIONS_KEY, "movies", 9),
            lambda: as_query.delete(GENERATIONS_KEY),
            lambda: as_query.eval("return redis.call('SET', KEYS[1], 1)", 1, "x"),
            lambda: as_query.config_get("*"),
            as_query.flushall,
        ):
            with pytest.raises(ResponseError):
                attempt()
