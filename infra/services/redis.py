"""Redis: configuration, start, access rights, and a temporary one for tests and the demo."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from redis import Redis
from redis.exceptions import RedisError

from infra.services import apt
from infra.services.errors import DidNotStart
from infra.services.ports import LOOPBACK, free
from infra.services.server import Container, Home, Launch, Server

USERS = Path(__file__).resolve().parents[1] / "redis" / "users.acl"
PERSISTENT = ("appendonly yes", "appendfsync everysec")
REFUSING_LARGE_FILES = ("sh", "-c", 'trap "" XFSZ; exec "$@"', "sh")
"""Runs a server so that it refuses writes beyond a limit of file sizes, instead of ending."""
_START_SECONDS = 30


def url(ports: Mapping[str, int]) -> str:
    return f"redis://{LOOPBACK}:{ports['redis']}/0"


def as_query(redis_url: str) -> str:
    """The URL for the query API's user, who reads all and counts for its rate limits."""
    return _as_user(redis_url, "query:query")


def as_cache(redis_url: str) -> str:
    """The URL for the user of the query API's caches, who may do nothing else."""
    return _as_user(redis_url, "cache:cache")


def _as_user(redis_url: str, login: str) -> str:
    parts = urlsplit(redis_url)
    address = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{login}@{address}"))


def grant(redis_url: str) -> None:
    """Create the users of our ACL file in a given Redis."""
    with Redis.from_url(redis_url) as redis:
        for line in USERS.read_text().splitlines():
            _, name, *rules = line.split()
            if name != "default":
                redis.execute_command("ACL", "SETUSER", name, "reset", *rules)


@contextmanager
def private_redis(port: int | None = None) -> Iterator[str]:
    """Run an empty Redis without persistence until the block or this process ends."""
    if missing := _packages():
        apt.install(missing)
    with tempfile.TemporaryDirectory(prefix="marquee-redis-") as directory:
        home = Path(directory)
        ports = {"redis": port or free()}
        config, _ = write_config(home, USERS, f"bind {LOOPBACK}", f"port {ports['redis']}")
        # pdeathsig: a test run that is killed leaves no server behind.
        command = ["setpriv", "--pdeathsig", "TERM", "redis-server", str(config)]
        log = home / "redis.log"
        with log.open("w") as output, subprocess.Popen(command, stdout=output) as process:
            try:
                _wait(process, ports, log)
                yield url(ports)
            finally:
                process.terminate()


def _wait(process: "subprocess.Popen[bytes]", ports: Mapping[str, int], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not answers(url(ports)):
        if process.poll() is not None or time.monotonic() > deadline:
            raise DidNotStart(
                f"A private Redis did not start on port {ports['redis']}: {log.read_text()[-500:]}"
            )
        time.sleep(0.01)


def write_config(home: Path, users: Path, *lines: str) -> tuple[Path, Path]:
    """Write a server's configuration and, beside it, its ACL file; returns both."""
    # A copy: the account that runs Redis may not be able to read the checkout.
    acl = home / "users.acl"
    acl.write_text(users.read_text())
    config = home / "redis.conf"
    common = (f'dir "{home}"', f'aclfile "{acl}"', 'save ""', "maxmemory-policy noeviction")
    config.write_text("\n".join((*common, *lines)) + "\n")
    return config, acl


def _packages() -> Sequence[str]:
    return () if shutil.which("redis-server") else ("redis-server",)


def _prepare(home: Home) -> Launch:
    listen = (f"bind {LOOPBACK}", f"port {home.ports['redis']}")
    files = write_config(home.path, USERS, *listen, *PERSISTENT)
    home.account.own(*files)
    return Launch(command=[*REFUSING_LARGE_FILES, "redis-server", files[0]])


def answers(url_: str) -> bool:
    """Whether the server of a URL answers reads; a full one refuses PING."""
    try:
        with Redis.from_url(url_, socket_timeout=2) as redis:
            redis.exists("ready")
            return True
    except RedisError:
        return False  # not there, or still loading its file


REDIS = Server(
    name="redis",
    program="redis-server",
    ports=("redis",),
    packages=_packages,
    prepare=_prepare,
    answers=lambda ports: answers(url(ports)),
    container=Container(
        image="redis:7.4.5",
        ports={"redis": 6379},
        volume="/data",
        mounts={USERS: "/etc/redis/users.acl"},
        arguments=[
            *("redis-server", "--appendonly", "yes", "--appendfsync", "everysec"),
            *("--aclfile", "/etc/redis/users.acl"),
        ],
    ),
)
