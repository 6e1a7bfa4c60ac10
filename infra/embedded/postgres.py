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


def url(place: Layout, database: str = "postgres") -> str:
    """Where a database answers."""
    return f"postgresql://postgres@/{database}?host={quote(str(place.sockets))}"


def postgres(place: Layout) -> Member:
    """The server; its cluster is made at the first start."""
    home = Home(path=place.home("postgres"), ports={}, account=place.account)
    here = programs("pgserver", "pginstall", place.account) / "bin"
    cluster = home.path / "cluster"
    settings = _SETTINGS | {"unix_socket_directories": str(place.sockets)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def before() -> None:
        if not cluster.exists():
            initialise(here, cluster, home)
        # Nothing of ours runs now; the pids in these may meanwhile be other programs'.
        (cluster / "postmaster.pid").unlink(missing_ok=True)
        _forget_sockets(place.sockets)

    return Member(
        Process(
            name="postgres",
            command=[str(here / "postgres"), "-D", str(cluster), *options],
            environ={},
            log=place.logs / "postgres.log",
            home=home.path,
            program="postgres",
            account=place.account,
            polite=signal.SIGINT,  # "fast": ends sessions and writes its checkpoint
        ),
        is_ready=lambda: _answers(url(place)),
        before=before,
    )


def _forget_sockets(directory: Path) -> None:
    for path in directory.glob(".s.PGSQL.*"):
        path.unlink()


def _answers(where: str) -> bool:
    try:
        psycopg2.connect(where, connect_timeout=2).close()
    except psycopg2.OperationalError:
        return False
    return True
