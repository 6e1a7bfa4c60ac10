"""PostgreSQL: configuration, start, and creating and dropping databases.

Durable as in production: fsync and synchronous_commit stay on, or measurements and crash tests
would be worthless.
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
from infra.services.system_user import SystemUser

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # a deep checkout would exceed the limit of socket names
    "max_connections": "200",
    "shared_buffers": "512MB",
    "max_wal_size": "2GB",
}
CLUSTER = "cluster"
"""Name of the data directory in a server's home."""

_DURABLE = {"fsync": "on", "synchronous_commit": "on", "log_min_messages": "warning"}
PRIVATE_LOG = {
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_min_duration_sample": "-1",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_statement": "none",
}
"""Keep statements and their values out of the server's log: among them are password hashes, digests
of names, and keys. ``terse`` leaves out DETAIL, which quotes rows and the statement of a crashed
session."""


def url(ports: Mapping[str, int], database: str = "postgres") -> str:
    return f"postgresql://postgres@{LOOPBACK}:{ports['postgres']}/{database}"


def at_database(server: str, database: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(server)._replace(path=f"/{database}"))


def create_database(server: str, name: str, *, template: str = "template1") -> None:
    """Create a database if it is missing."""
    with _administration(server) as session:
        cursor = session.cursor()
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if cursor.fetchone() is None:
            cursor.execute(
                SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template))
            )


def drop_database(server: str, name: str) -> None:
    """Drop a database, and end its connections."""
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
    """The directory of the newest PostgreSQL's programs; Debian has one for each version."""
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if _is_complete(path)]
    if versions:
        return max(versions, key=lambda path: int(path.parent.name))
    program = shutil.which("postgres")
    return Path(program).parent if program else None


def _is_complete(path: Path) -> bool:
    return path.parent.name.isdigit() and (path / "initdb").exists()


def _packages() -> Sequence[str]:
    return () if binaries() else ("postgresql",)


def _prepare(home: Home) -> Launch:
    programs = binaries()
    if programs is None:
        raise NotInstalled("PostgreSQL is not installed.")
    cluster = home.path / CLUSTER
    prepare_cluster(programs, cluster, home.account)
    settings = SETTINGS | {"port": str(home.ports["postgres"])}
    return Launch(command=command(programs, cluster, settings))


def command(programs: Path, cluster: Path, settings: Mapping[str, str]) -> Sequence[str]:
    """The command line of a server on a cluster."""
    options = _options({**settings, **_DURABLE, **PRIVATE_LOG})
    return [str(programs / "postgres"), "-D", str(cluster), *options]


def _options(settings: Mapping[str, str]) -> Sequence[str]:
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def prepare_cluster(programs: Path, cluster: Path, account: SystemUser) -> None:
    """Make an empty cluster if there is none; remove what a killed server left in it."""
    # The server is down, and its old pid may now belong to another process.
    (cluster / "postmaster.pid").unlink(missing_ok=True)
    if cluster.exists():
        return
    # Renamed when complete, so a killed start leaves no partial cluster.
    partial = cluster.with_suffix(".new")
    shutil.rmtree(partial, ignore_errors=True)
    subprocess.run(
        [
            *(programs / "initdb", "-D", partial, "-U", "postgres", "-A", "trust"),
            *("-E", "UTF8", "--locale=C.UTF-8"),
        ],
        check=True,
        cwd=cluster.parent,
        capture_output=True,
        **as_account(account),
    )
    partial.rename(cluster)


def answers(url_: str) -> bool:
    """Whether the server of a URL takes connections."""
    try:
        psycopg2.connect(url_, connect_timeout=2).close()
    except psycopg2.OperationalError:
        return False
    return True


POSTGRES = Server(
    name="postgres",
    program="postgres",
    ports=("postgres",),
    packages=_packages,
    prepare=_prepare,
    answers=lambda ports: answers(url(ports)),
    stop_signal=signal.SIGINT,  # "fast": ends sessions and writes its checkpoint
    container=Container(
        image="postgres:16.9",
        ports={"postgres": 5432},
        volume="/var/lib/postgresql/data",
        environ={"POSTGRES_HOST_AUTH_METHOD": "trust"},
        arguments=_options({"max_connections": "200", "shared_buffers": "512MB", **PRIVATE_LOG}),
    ),
)
