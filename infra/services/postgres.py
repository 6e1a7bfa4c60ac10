"""PostgreSQL: configuration, start, and creating and dropping databases.

Durable as in production: fsync and synchronous_commit stay on, or no measurement and no test of
a crash would mean anything.
"""

import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT, connection
from psycopg2.sql import SQL, Identifier

from infra.services.errors import NotInstalled
from infra.services.ports import LOOPBACK
from infra.services.process_table import as_account
from infra.services.server import Container, Home, Launch, Server

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # a deep checkout would exceed the limit of socket names
    "max_connections": "200",
    "shared_buffers": "512MB",
    "max_wal_size": "2GB",
    "fsync": "on",
    "synchronous_commit": "on",
    "log_min_messages": "warning",
}


def url(ports: Mapping[str, int], database: str = "postgres") -> str:
    return f"postgresql://postgres@{LOOPBACK}:{ports['postgres']}/{database}"


def at_database(server: str, database: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(server)._replace(path=f"/{database}"))


def create_database(server: str, name: str, *, template: str = "template1") -> None:
    """Create a database unless it is there."""
    with _administration(server) as cursor_of:
        cursor = cursor_of.cursor()
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if cursor.fetchone() is None:
            cursor.execute(
                SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template))
            )


def drop_database(server: str, name: str) -> None:
    """Drop a database, whoever is connected to it."""
    with _administration(server) as session:
        session.cursor().execute(
            SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name))
        )


@contextmanager
def _administration(server: str) -> Iterator[connection]:
    session = psycopg2.connect(at_database(server, "postgres"), connect_timeout=10)
    session.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
    try:
        yield session
    finally:
        session.close()


def binaries() -> Path | None:
    """Debian keeps each version's programs apart; the newest one is ours."""
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if _is_whole(path)]
    if versions:
        return max(versions, key=lambda path: int(path.parent.name))
    found = shutil.which("postgres")
    return Path(found).parent if found else None


def _is_whole(path: Path) -> bool:
    return path.parent.name.isdigit() and (path / "initdb").exists()


def _packages() -> Sequence[str]:
    return () if binaries() else ("postgresql",)


def _prepare(home: Home) -> Launch:
    programs = binaries()
    if programs is None:
        raise NotInstalled("PostgreSQL is not installed.")
    cluster = home.path / "cluster"
    if not cluster.exists():
        initialise(programs, cluster, home)
    # Nothing of ours runs now; the pid in there may meanwhile be another program's.
    (cluster / "postmaster.pid").unlink(missing_ok=True)
    settings = SETTINGS | {"port": str(home.ports["postgres"])}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return Launch(command=[programs / "postgres", "-D", cluster, *options])


def initialise(programs: Path, cluster: Path, home: Home) -> None:
    """Make an empty cluster."""
    # Renamed when whole, so that a start that was killed leaves no half a cluster.
    half = cluster.with_suffix(".new")
    shutil.rmtree(half, ignore_errors=True)
    subprocess.run(
        [
            *(programs / "initdb", "-D", half, "-U", "postgres", "-A", "trust"),
            *("-E", "UTF8", "--locale=C.UTF-8"),
        ],
        check=True,
        cwd=home.path,
        capture_output=True,
        **as_account(home.account),
    )
    half.rename(cluster)


def _answers(ports: Mapping[str, int]) -> bool:
    try:
        psycopg2.connect(url(ports), connect_timeout=2).close()
    except psycopg2.OperationalError:
        return False
    return True


POSTGRES = Server(
    name="postgres",
    program="postgres",
    ports=("postgres",),
    packages=_packages,
    prepare=_prepare,
    answers=_answers,
    polite=signal.SIGINT,  # "fast": ends sessions and writes its checkpoint
    container=Container(
        image="postgres:16.9",
        ports={"postgres": 5432},
        volume="/var/lib/postgresql/data",
        environ={"POSTGRES_HOST_AUTH_METHOD": "trust"},
        arguments=["-c", "max_connections=200", "-c", "shared_buffers=512MB"],
    ),
)
