"""The platform that benchmarks measure: demo catalogue, ratings, and a bare server."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, TypeAlias

from benchmarks.users import BenchmarkUser, register
from infra.embedded import startup as embedded
from infra.platform.processes import Process, api
from infra.platform.topology import Platform, forget, platform
from infra.services import Addresses, private_redis
from infra.services.ports import free

Mode: TypeAlias = Literal["native", "embedded"]

UNTHROTTLED = "1000000000"
"""A limit that counts requests as usual and refuses none."""


@dataclass(frozen=True)
class Stage:
    """A platform with a catalogue, a user, the calibration server, and a directory of ratings."""

    mode: Mode
    platform: Platform
    person: BenchmarkUser
    bare_url: str
    ratings: Path
    redis_url: str


@contextmanager
def stage(servers: Addresses, ratings: Path) -> Iterator[Stage]:
    """Run a platform with only the demo catalogue; it is deleted after the block."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory()))
        redis_url = stack.enter_context(private_redis())
        servers = servers.on_redis(redis_url)
        _unthrottle()
        running_platform = stack.enter_context(
            platform(servers, directory, name="marquee_bench", fresh=True)
        )
        stack.callback(forget, running_platform.environ)
        yield stack.enter_context(_prepared("native", running_platform, directory, ratings))


@contextmanager
def embedded_stage(ratings: Path) -> Iterator[Stage]:
    """Run the same in embedded mode."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory()))
        # Else the servers' account can't enter the directory, and their data would be elsewhere.
        directory.chmod(0o755)
        _unthrottle()
        running_platform = stack.enter_context(
            embedded.platform(directory / "platform", fresh=True)
        )
        yield stack.enter_context(_prepared("embedded", running_platform, directory, ratings))


def _unthrottle() -> None:
    os.environ |= {
        "MARQUEE_THROTTLE_ANONYMOUS_PER_MINUTE": UNTHROTTLED,
        "MARQUEE_THROTTLE_USER_PER_MINUTE": UNTHROTTLED,
        "MARQUEE_THROTTLE_SEARCH_PER_MINUTE": UNTHROTTLED,
        "MARQUEE_THROTTLE_WRITE_PER_MINUTE": UNTHROTTLED,
        "MARQUEE_THROTTLE_IMPORT_PER_MINUTE": UNTHROTTLED,
        "MARQUEE_THROTTLE_REGISTER_PER_MINUTE": UNTHROTTLED,
        "MARQUEE_THROTTLE_LOGIN_PER_MINUTE": UNTHROTTLED,
        "MARQUEE_THROTTLE_ACCOUNT_PER_HOUR": UNTHROTTLED,
        "MARQUEE_THROTTLE_REFRESH_PER_MINUTE": UNTHROTTLED,
    }


@contextmanager
def _prepared(
    mode: Mode, running_platform: Platform, directory: Path, ratings: Path
) -> Iterator[Stage]:
    with _bare(running_platform, directory) as bare_url:
        manage(running_platform, "import_catalogue", "demo")
        manage(running_platform, "lag", "--wait", "120")
        redis_url = running_platform.environ["MARQUEE_REDIS_URL"]
        yield Stage(
            mode, running_platform, register(running_platform), bare_url, ratings, redis_url
        )


def manage(platform: Platform, *arguments: str) -> None:
    """Run a management command that must not fail."""
    if platform.manage(*arguments):
        sys.exit(f"manage.py {' '.join(arguments)} failed, so there is nothing to measure.")


@contextmanager
def _bare(running_platform: Platform, directory: Path) -> Iterator[str]:
    """Run the calibration server: same Python, same granian, same flags, other URLs."""
    port = free()
    process = Process(
        name="bare",
        command=api(port),
        environ={
            **running_platform.environ,
            "MARQUEE_ROLE": "command",
            "DJANGO_SETTINGS_MODULE": "benchmarks.bare_settings",
        },
        log=directory / "logs" / "bare.log",
    )
    process.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.stop()
