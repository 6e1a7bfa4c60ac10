"""manage.py: faults outside the program are printed in one line."""

import subprocess
import sys

import pytest

from infra.platform.processes import HOME

CLOSED_PORT = "127.0.0.1:9"  # the discard port, on which nothing listens


def manage(*arguments, **environ):
    unreachable = {
        "MARQUEE_DATABASE_URL": f"postgresql://nobody@{CLOSED_PORT}/none",
        "MARQUEE_REDIS_URL": f"redis://{CLOSED_PORT}/0",
        "MARQUEE_ROLE": "ops",
    }
    return subprocess.run(
        [sys.executable, str(HOME / "manage.py"), *arguments],
        env=unreachable | environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", [("lag",), ("verify", "--all"), ("events", "verify")])
def test_unreachable_server_is_reported_without_traceback(command):
    result = manage(*command)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "refused" in result.stderr


def test_invalid_directory_is_named_without_traceback():
    result = manage("keys", "create", MARQUEE_KEYS_DIR="/dev/null/keys")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "/dev/null/keys" in result.stderr


def test_unknown_setting_is_named_without_traceback():
    result = manage("lag", MARQUEE_FOO="1")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "FOO" in result.stderr


def test_traceback_option_prints_the_traceback():
    assert "Traceback" in manage("lag", "--traceback").stderr
