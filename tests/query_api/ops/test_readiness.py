"""Is it said what is missing, by readiness and by answers?"""

import pytest

from projectors.generations.live import GENERATIONS_KEY
from query_api.http import request
from tests.query_api.conftest import ALIEN, ANN


def test_all_there(client, world, elasticsearch_url):
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert set(answer.json()["needs"].values()) == {"ok"}


def test_one_is_missing(client, world, redis, elasticsearch_url):
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
def test_what_redis_lost_is_not_told_as_nothing_at_once(client, world, redis, log_in, path):
    """Where the pointers lead is remembered for a moment: long enough to answer with nothing."""
    mine = log_in(ANN)
    world.rate(ANN, ALIEN, 8)
    assert client.get(f"/v1/movies/{ALIEN}", headers=mine).status_code == 200
    redis.flushall()
    answer = client.get(path, headers=mine)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "is being built" in answer.json()["detail"]
