"""PostgreSQL from a wheel.

Durable as everywhere: fsync and synchronous_commit stay on. It listens on a socket only.
"""

import signal
from pathlib import Path
from urllib.parse import quote

import psycopg2

from infra.embedded.binaries import programs
from infra.embedded.layout import Layout
from infra.platform.processes import Process
from infra.platform.supervisor import Member
from infra.services.postgres import initialise
from infra.services.server import Home

_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "log_min_messages": "warning",
}


def url(layout: Layout, database: str = "postgres") -> str:
    """URL of a database."""
    return f"postgresql://postgres@/{database}?host={quote(str(layout.sockets))}"


def postgres(layout: Layout) -> Member:
    """The server; its cluster is made at the first start."""
    home = Home(path=layout.home("postgres"), ports={}, account=layout.account)
    binaries = programs("pgserver", "pginstall", layout.account) / "bin"
    cluster = home.path / "cluster"
    settings = _SETTINGS | {"unix_socket_directories": str(layout.sockets)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def prepare() -> None:
        if not cluster.exists():
            initialise(binaries, cluster, home)
        # The server is down, and its old pids may now belong to other processes.
        (cluster / "postmaster.pid").unlink(missing_ok=True)
        _delete_sockets(layout.sockets)

    return Member(
        Process(
            name="postgres",
            command=[str(binaries / "postgres"), "-D", str(cluster), *options],
            environ={},
            log=layout.logs / "postgres.log",
            home=home.path,
            program="postgres",
            account=layout.account,
            stop_signal=signal.SIGINT,  # "fast": ends sessions and writes its checkpoint
        ),
        is_ready=lambda: _answers(url(layout)),
        before_start=prepare,
    )


def _delete_sockets(directory: Path) -> None:
    for path in directory.glob(".s.PGSQL.*"):
        path.unlink()


def _answers(url_: str) -> bool:
    try:
        psycopg2.connect(url_, connect_timeout=2).close()
    except psycopg2.OperationalError:
        return False
    return True
