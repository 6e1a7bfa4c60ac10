"""Metrics of a Celery worker and its children."""

import re
import sys
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import yaml

from infra.fake_tmdb.server import TOKEN
from infra.platform.processes import HOME, Process
from infra.services.ports import free
from tests.fixtures.tmdb import ask_for
from tests.fixtures.waiting import until

_PROGRAM, *ARGUMENTS = yaml.safe_load((HOME / "docker-compose.yml").read_text())["services"][
    "worker"
]["command"]
SYNCS = ("trending", "genres", "lists")


@pytest.fixture
def port():
    return free()


@pytest.fixture
def worker(log_database, redis_url, bus_url, fake_tmdb, port, tmp_path):
    environ = {
        "MARQUEE_ROLE": "ops",
        "MARQUEE_METRICS_PORT": str(port),
        "MARQUEE_TMDB_URL": fake_tmdb.url,
        "MARQUEE_TMDB_TOKEN": TOKEN,
        "MARQUEE_TMDB_FIRST_FILL": "20",
        "TMPDIR": str(tmp_path),
    }
    command = [sys.executable, "-m", "celery", *ARGUMENTS]
    process = Process("worker", command, environ, tmp_path / "worker.log")
    process.start()
    yield process
    process.stop()


def metric_sum(port, name):
    """Sum of a metric over all its labels; 0 while the port does not answer."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            lines = answer.read().decode()
    except URLError:
        return 0
    return sum(map(float, re.findall(rf"^{name}\{{.*\}} (\S+)$", lines, re.MULTILINE)))


def test_worker_exposes_its_childrens_metrics(worker, fake_tmdb, port, tmp_path):
    for kind in SYNCS:
        ask_for(kind)
    until(lambda: metric_sum(port, "marquee_sync_events_total"), lambda: _still_runs(worker))
    until(lambda: fake_tmdb.asked.total() == metric_sum(port, "marquee_tmdb_requests_total"))
    until(lambda: fake_tmdb.asked.total() == metric_sum(port, "marquee_tmdb_seconds_count"))
    assert list(tmp_path.glob("marquee-metrics-*/counter_*.db"))
    worker.stop()
    assert not list(tmp_path.glob("marquee-metrics-*"))


def _still_runs(worker):
    assert not worker.has_ended(), worker.log_tail()
