"""manage.py: the platform it works on, and faults outside the program in one line."""

import os
import subprocess
import sys

import pytest

from infra.config import PREFIX
from infra.platform.processes import HOME
from infra.platform.topology import Platform

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


def record(state, name, host):
    """Record a platform, whose database is on a host that refuses connections, as started last."""
    environ = {
        "MARQUEE_DATABASE_URL": f"postgresql://nobody@{host}:9/none",
        "MARQUEE_REDIS_URL": f"redis://{host}:9/0",
    }
    platform = Platform(command_url="", query_url="", environ=environ, processes={})
    platform.save_environment(state / "environment", name=name)


def messages(state, *arguments, **given):
    """Run a command without variables; return what it writes to stderr."""
    ours = {name: value for name, value in os.environ.items() if PREFIX not in name}
    result = subprocess.run(
        [sys.executable, str(HOME / "manage.py"), *arguments],
        env=ours | {"MARQUEE_STATE_DIR": str(state), "MARQUEE_ROLE": "ops"} | given,
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stderr


def test_command_names_and_uses_the_platform_started_last(tmp_path):
    record(tmp_path, "/data/first (make run)", host="127.0.0.2")
    record(tmp_path, "/data/second (make run)", host="127.0.0.3")
    said = messages(tmp_path, "events", "verify")
    assert said.startswith("Platform: /data/second (make run)\n")
    assert "127.0.0.3" in said
    assert "127.0.0.2" not in said


@pytest.mark.parametrize("arguments", [("check",), ("lag", "--help"), ("help",), ("--version",)])
def test_command_that_needs_no_platform_names_none(tmp_path, arguments):
    record(tmp_path, "/data/first (make run)", host="127.0.0.2")
    assert "Platform:" not in messages(tmp_path, *arguments)


def test_command_names_no_platform_when_the_environment_names_servers(tmp_path):
    record(tmp_path, "/data/first (make run)", host="127.0.0.2")
    given = {"MARQUEE_DATABASE_URL": f"postgresql://nobody@{CLOSED_PORT}/given"}
    said = messages(tmp_path, "events", "verify", **given)
    assert "Platform:" not in said
    assert "127.0.0.1" in said


def test_variables_of_the_environment_that_differ_from_the_platform_are_named(tmp_path):
    record(tmp_path, "/data/first (make run)", host="127.0.0.2")
    redis = {"MARQUEE_REDIS_URL": f"redis://{CLOSED_PORT}/0"}
    first = messages(tmp_path, "events", "verify", **redis).splitlines()[0]
    assert first == (
        "Platform: /data/first (make run), but the environment's own MARQUEE_REDIS_URL"
    )
    same = {"MARQUEE_REDIS_URL": "redis://127.0.0.2:9/0"}
    first = messages(tmp_path, "events", "verify", **same).splitlines()[0]
    assert first == "Platform: /data/first (make run)"


def test_platform_recorded_by_an_older_version_is_named_by_its_file(tmp_path):
    path = tmp_path / "environment"
    path.write_text(f"MARQUEE_DATABASE_URL=postgresql://nobody@{CLOSED_PORT}/old\n")
    said = messages(tmp_path, "events", "verify")
    assert said.startswith(f"Platform: as saved in {path}\n")
