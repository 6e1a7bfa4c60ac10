"""manage.py events log --follow: new events as they are recorded."""

import os
import signal
import subprocess
import sys

import pytest

from tests.faults.relay.relay_setup import append


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_follow_shows_new_events_until_a_signal(log_database, redis_url, number):
    append(1)
    command = [sys.executable, "manage.py", "events", "log", "--follow", "--last", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout
        assert "@1" in follower.stdout.readline()
        for _ in range(3):
            [position] = append(1)
            line = follower.stdout.readline()
            assert f"{position.partition}:{position.offset} " in line
        follower.send_signal(number)
        assert follower.stdout.read() == ""
        assert follower.wait(timeout=60) == (0 if number == signal.SIGINT else -signal.SIGTERM)


def test_follow_ends_without_fault_when_its_reader_closes_the_pipe(log_database, redis_url):
    append(500)
    command = f"{sys.executable} manage.py events log --last 500 | head -1"
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert len(result.stdout.splitlines()) == 1
    assert "Traceback" not in result.stderr
