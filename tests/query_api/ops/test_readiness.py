"""Readiness of the query API: missing read models and lost data."""

import pytest

from projectors.generations.live import GENERATIONS_KEY
from query_api.http import request
from tests.query_api.conftest import ALIEN, ANN


def test_ready_when_all_models_are_live(client, world, elasticsearch_url):
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert set(answer.json()["needs"].values()) == {"ok"}


def test_missing_model_is_down(client, world, redis, elasticsearch_url):
    redis.hdel(GENERATIONS_KEY, "trending")
    request.live.cache_clear()
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    needs = answer.json()["needs"]
    assert [name for name, state in needs.items() if state != "ok"] == ["model trending"]


@pytest.mark.parametrize(
    "path",
    [
        f"/v1/movies/{ALIEN}",
        f"/v1/movies/{ALIEN}/similar",
        "/v1/trending?window=week",
        "/v1/trending?window=week&limit=5",
        "/v1/suggestions?q=a",
        "/v1/genres",
        "/v1/search?q=alien",
        "/v1/playlists",
        "/v1/me",
        "/v1/me/ratings",
        "/v1/me/favourites",
        "/v1/me/playlists",
        "/v1/me/recommendations",
    ],
)
def test_data_lost_by_redis_is_503_at_once(client, world, redis, log_in, path):
    """Pointers are cached for a moment, long enough to answer from an empty generation."""
    headers = log_in(ANN)
    world.rate(ANN, ALIEN, 8)
    assert client.get(f"/v1/movies/{ALIEN}", headers=headers).status_code == 200
    redis.flushall()
    answer = client.get(path, headers=headers)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "is being built" in answer.json()["detail"]
