"""Metrics server: what it serves, and a port that is taken."""

import json
import socket
import urllib.request
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter

from infra.config import BadConfig
from infra.http import health
from infra.metrics_server import application, serve
from infra.services.ports import LOOPBACK


def ask(path, *, registry=None, refresh=lambda: None, method="GET"):
    """Status, headers and body of an answer."""
    told: dict[str, Any] = {}

    def start_response(status, headers):
        told.update(status=int(status.split()[0]), headers=dict(headers))

    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": ""}
    body = b"".join(application(registry or CollectorRegistry(), refresh)(environ, start_response))
    return told["status"], told["headers"], body


def test_metrics_are_served_after_gauges_were_set():
    registry = CollectorRegistry()
    counter = Counter("things", "Things.", registry=registry)
    status, headers, body = ask("/metrics", registry=registry, refresh=counter.inc)
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain")
    assert b"things_total 1.0" in body


def test_liveness_is_answered_as_by_the_apis(rf):
    status, headers, body = ask("/health/live")
    answer = health.live(rf.get("/health/live"))
    assert (status, json.loads(body)) == (answer.status_code, json.loads(answer.content))
    assert headers == {name: answer[name] for name in ("Content-Type", "Cache-Control")}


@pytest.mark.parametrize("path", ["/", "/metric", "/metrics/", "/health/ready", "/v1/genres"])
def test_nothing_else_is_served(path):
    assert ask(path)[::2] == (404, b"")


@pytest.mark.parametrize("method", ["POST", "DELETE", "MADE-UP"])
def test_metrics_refuse_other_methods(method):
    assert ask("/metrics", method=method)[0] == 405


def test_server_answers_while_another_client_sends_nothing(services):
    server = serve(0)
    try:
        port = server.server_port
        with (
            socket.create_connection((LOOPBACK, port)),
            urllib.request.urlopen(f"http://{LOOPBACK}:{port}/health/live", timeout=60) as answer,
        ):
            assert answer.status == 200
    finally:
        server.shutdown()
        server.server_close()


def test_taken_port_is_refused_with_the_settings_name():
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))  # noqa: S104 - as the server does
        taken.listen()
        with pytest.raises(BadConfig, match=r"MARQUEE_METRICS_PORT: \d+ can't be used: .*in use"):
            serve(taken.getsockname()[1])
