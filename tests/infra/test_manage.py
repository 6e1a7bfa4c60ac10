"""What does a person read when a command can't do what it should?"""

import subprocess
import sys

import pytest

from infra.platform.processes import HOME

NOBODY = "127.0.0.1:9"  # the discard port, where nobody listens


def manage(*arguments, **environ):
    away = {
        "MARQUEE_DATABASE_URL": f"postgresql://nobody@{NOBODY}/none",
        "MARQUEE_REDIS_URL": f"redis://{NOBODY}/0",
        "MARQUEE_ROLE": "ops",
    }
    return subprocess.run(
        [sys.executable, str(HOME / "manage.py"), *arguments],
        env=away | environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", [("lag",), ("verify", "--all"), ("events", "verify")])
def test_a_server_that_is_away_takes_no_traceback(command):
    done = manage(*command)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "refused" in done.stderr


def test_a_place_that_is_none_is_named():
    done = manage("keys", "create", MARQUEE_KEYS_DIR="/dev/null/keys")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "/dev/null/keys" in done.stderr


def test_a_variable_that_does_not_exist_is_named():
    done = manage("lag", MARQUEE_FOO="1")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "FOO" in done.stderr


def test_the_traceback_is_there_for_who_asks():
    assert "Traceback" in manage("lag", "--traceback").stderr
