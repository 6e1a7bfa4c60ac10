"""Celery worker with its own beat: both end together."""

import os
import signal
from pathlib import Path

import pytest

from infra.platform.processes import Process, worker
from tests.faults.kill_loop.victims import children_of
from tests.fixtures.waiting import until


@pytest.fixture
def clocked(redis_url, keys, tmp_path):
    """Worker with Redis as its broker, as on the embedded platform."""
    process = Process(
        name="worker",
        command=worker(tmp_path / "clock"),
        environ={"MARQUEE_REDIS_URL": redis_url, "MARQUEE_BUS_URL": "", "MARQUEE_ROLE": "ops"},
        log=tmp_path / "worker.log",
    )
    process.start()
    # Its banner runs uname; the process started after that is beat, and SIGTERM is handled by then.
    until(lambda: "[queues]" in process.log.read_text())
    yield process
    process.stop()


def test_celery_worker_ends_when_its_beat_is_killed(clocked):
    [beat] = until(lambda: children_of(clocked.pid))
    os.kill(beat, signal.SIGKILL)
    until(clocked.has_ended)
    assert clocked.status == 0


def test_celery_worker_ends_with_its_beat_on_sigterm(clocked):
    [beat] = until(lambda: children_of(clocked.pid))
    os.kill(clocked.pid, signal.SIGTERM)
    until(clocked.has_ended)
    assert clocked.status == 0
    until(lambda: not Path("/proc", str(beat)).exists())
