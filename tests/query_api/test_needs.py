"""Does readiness name what is missing?"""

from projectors.live import GENERATIONS_KEY
from query_api import asking


def test_all_there(client, world, elasticsearch_url):
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert set(answer.json()["needs"].values()) == {"ok"}


def test_one_is_missing(client, world, redis, elasticsearch_url):
    redis.hdel(GENERATIONS_KEY, "trending")
    asking.live.cache_clear()
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    needs = answer.json()["needs"]
    assert [name for name, state in needs.items() if state != "ok"] == ["model trending"]
