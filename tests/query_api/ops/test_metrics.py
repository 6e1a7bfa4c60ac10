"""Metrics of the query API: ages of read models, requests by view."""

from prometheus_client import generate_latest
from redis import Redis

from infra import clients
from projectors.registry import MODELS
from query_api.http import request
from query_api.ops import metrics


def model_ages():
    metrics.refresh()
    lines = generate_latest().decode().splitlines()
    return [
        float(line.split()[1]) for line in lines if line.startswith("marquee_model_age_seconds{")
    ]


def test_metrics_have_ages_of_models(world):
    ages = model_ages()
    assert len(ages) == len(MODELS)
    assert all(1.5 <= age < 600 for age in ages)


def test_ages_are_unknown_while_redis_is_away(world, monkeypatch):
    model_ages()
    request.live.cache_clear()
    with Redis(port=1) as unreachable:
        monkeypatch.setattr(clients, "redis", lambda: unreachable)
        ages = model_ages()
    request.live.cache_clear()
    assert len(ages) == len(MODELS)
    assert all(age != age for age in ages)  # noqa: PLR0124 - only NaN differs from itself


def test_metrics_count_requests_by_view(client, world):
    client.get("/v1/genres")
    counted = b'marquee_http_requests_total{method="GET",status="200",view="GenresView"}'
    assert counted in generate_latest()


def test_metrics_do_not_grow_with_what_clients_send(client, world):
    def send(number):
        client.generic(f"METHOD{number}", "/v1/genres")
        client.get(f"/v1/nothing-{number}")
        client.get(f"/v1/suggestions?q=a&unknown-{number}=1")
        client.get("/v1/trending", headers={"As-Of": str(number), "Host": f"h{number}.example"})
        client.get("/v1/me", headers={"Authorization": f"Bearer {number}"})

    send(0)
    before = generate_latest().count(b"\n")
    for number in range(1, 30):
        send(number)
    assert generate_latest().count(b"\n") == before


def test_metrics_are_not_served_to_clients(client, world):
    assert client.get("/metrics").status_code == 404
