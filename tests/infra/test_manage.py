"""manage.py: faults outside the program are printed in one line."""

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
def test_unreachable_server_is_reported_without_traceback(command):
    done = manage(*command)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "refused" in done.stderr


def test_invalid_directory_is_named_without_traceback():
    done = manage("keys", "create", MARQUEE_KEYS_DIR="/dev/null/keys")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "/dev/null/keys" in done.stderr


def test_unknown_setting_is_named_without_traceback():
    done = manage("lag", MARQUEE_FOO="1")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "FOO" in done.stderr


def test_traceback_option_prints_the_traceback():
    assert "Traceback" in manage("lag", "--traceback").stderr
