"""manage.py relay: help, missing bus and metrics."""

import os
import subprocess
import sys
from urllib.error import URLError
from urllib.request import urlopen

from infra.services.ports import free
from tests.faults.relay.relay_setup import append, epoch
from tests.fixtures.waiting import until


def run(*words, **environ):
    command = [sys.executable, "manage.py", "relay", *words]
    return subprocess.run(
        command, env=os.environ | environ, capture_output=True, text=True, timeout=60, check=False
    )


def test_relay_help_describes_it():
    result = run("--help")
    assert result.returncode == 0
    assert "Publish the event log to RabbitMQ" in result.stdout


def test_relay_without_a_bus_fails_with_a_message():
    result = run(MARQUEE_BUS_URL="")
    assert result.returncode == 1
    assert "MARQUEE_BUS_URL is empty" in result.stderr
    assert "Traceback" not in result.stderr


def test_relay_counts_confirmed_events(log_database, bus_url, redis_url):
    port = free()
    environ = os.environ | {"MARQUEE_METRICS_PORT": str(port)}
    relay = subprocess.Popen([sys.executable, "manage.py", "relay"], env=environ)
    try:
        until(lambda: epoch() == 1)
        append(30)

        def read(path):
            try:
                with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                    return answer.read().decode()
            except URLError:
                return ""

        until(lambda: 'marquee_relay_total{outcome="confirmed"} 30.0' in read("/metrics"))
        assert "lost" not in read("/metrics")
        assert read("/health/live") == '{"status":"ok","needs":{}}'
    finally:
        relay.terminate()
        assert relay.wait(timeout=60) == 0
