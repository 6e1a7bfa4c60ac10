"""Metrics of the APIs: on a port of their own, and alive while the API is busy."""

import httpx
import pytest


@pytest.mark.parametrize("name", ["command", "query"])
def test_api_serves_metrics_on_their_own_port_only(shared_platform, name):
    platform = shared_platform.platform
    api = {"command": platform.command_url, "query": platform.query_url}[name]
    own = f"http://127.0.0.1:{platform.metrics_ports[name]}"
    with httpx.Client(timeout=60) as client:
        assert client.get(f"{api}/metrics").status_code == 404
        assert client.get(f"{own}/health/live").json() == {"status": "ok", "needs": {}}
        text = client.get(f"{own}/metrics").text
    gauge = {"command": "marquee_sync_waiting_films", "query": "marquee_model_age_seconds"}[name]
    assert f"# TYPE {gauge} gauge" in text
