"""Upgrade of PostgreSQL's data to the version in today's wheel, by dump and restore.

A PostgreSQL reads only its own version's files. The wheel has the older version's programs, too:
both servers run side by side while each database is copied. The old files stay beside the new ones.
"""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen, run
from tempfile import TemporaryFile
from typing import IO, Any, TypeAlias

import psycopg2
from psycopg2.sql import SQL, Identifier

from infra.embedded.binaries import OLDER_POSTGRES, POSTGRES_VERSION, postgres_programs
from infra.embedded.engines import POSTGRES_SETTINGS, postgres_url, remove_stale_sockets
from infra.embedded.layout import Layout
from infra.platform.processes import Process
from infra.platform.supervisor import Member, Stopped, Supervisor
from infra.progress_bar import Advance, progress
from infra.services import create_database, postgres
from infra.services.errors import NotUsable
from infra.services.process_table import as_account

_OLD_PORT, _NEW_PORT = 5432, 5433
"""Name the sockets of the two servers, which listen on no port."""

_WAY_OUT = (
    "Start it with the version of the platform that made it and export the log with"
    " ./manage.py events export, or use another directory: make run DATA=DIR"
)
_DATABASES = "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY datname"
_TABLES = """
SELECT schemaname, tablename FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""
_CHUNK_BYTES = 1 << 20

Command: TypeAlias = Sequence[str | Path]
RowCounts: TypeAlias = Mapping[tuple[str, str, str], int]
"""Rows by database, schema and table."""


@dataclass(frozen=True)
class ClusterServer:
    """A server of any version in the wheel, on a cluster of its own."""

    layout: Layout
    version: int
    cluster: Path
    port: int = _OLD_PORT

    @property
    def programs(self) -> Path:
        """Directory of its programs."""
        return postgres_programs(self.layout.account, self.version)

    def url(self, database: str = "postgres") -> str:
        """URL of a database."""
        return f"{postgres_url(self.layout, database)}&port={self.port}"

    def member(self) -> Member:
        """The server as a member of a supervisor; makes its cluster if there is none."""
        account = self.layout.account
        settings = POSTGRES_SETTINGS | {
            "unix_socket_directories": str(self.layout.sockets),
            "port": str(self.port),
        }
        process = Process(
            name=f"postgres-{self.version}",
            command=postgres.command(self.programs, self.cluster, settings),
            environ={},
            log=self.layout.logs / f"postgres-{self.version}.log",
            home=self.cluster,
            program="postgres",
            account=account,
            stop_signal=postgres.POSTGRES.stop_signal,
        )
        return Member(
            process,
            is_ready=lambda: postgres.answers(self.url()),
            before_start=lambda: postgres.prepare_cluster(self.programs, self.cluster, account),
        )


def upgrade(layout: Layout, supervisor: Supervisor) -> None:
    """Bring the data of an older PostgreSQL, if there is any, to today's version.

    Raises NotUsable, DidNotStart or Stopped; the old data is then unchanged.
    """
    cluster = layout.home("postgres") / postgres.CLUSTER
    _undo_half_a_switch(cluster)
    version = _version(cluster)
    if version in {None, POSTGRES_VERSION}:
        return
    kept, fresh = _of_version(cluster, version), _of_version(cluster, POSTGRES_VERSION)
    _check(cluster, version, kept)
    shutil.rmtree(fresh, ignore_errors=True)  # of an interrupted upgrade
    remove_stale_sockets(layout)
    began = time.monotonic()
    _copy(
        ClusterServer(layout, version, cluster),
        ClusterServer(layout, POSTGRES_VERSION, fresh, _NEW_PORT),
        supervisor,
    )
    cluster.rename(kept)
    fresh.rename(cluster)
    took = time.monotonic() - began
    supervisor.say("postgres", f"upgraded after {took:.0f} s; the old data is kept in {kept}")


def _undo_half_a_switch(cluster: Path) -> None:
    """Put the old data back if the platform was killed between the two renames."""
    for version in OLDER_POSTGRES:
        kept = _of_version(cluster, version)
        if kept.exists() and not cluster.exists():
            kept.rename(cluster)


def _of_version(cluster: Path, version: int | None) -> Path:
    return cluster.with_name(f"{cluster.name}-{version}")


def _version(cluster: Path) -> int | None:
    """The version of PostgreSQL that made a cluster; None if there is no cluster."""
    path = cluster / "PG_VERSION"
    if not cluster.exists():
        return None
    try:
        return int(path.read_text())
    except (OSError, ValueError) as error:
        raise NotUsable(f"{path} can't be read: {error}. {_WAY_OUT}") from error


def _check(cluster: Path, version: int | None, kept: Path) -> None:
    """Check that the data can be upgraded, and has room to be."""
    if version not in OLDER_POSTGRES:
        readable = ", ".join(map(str, sorted(OLDER_POSTGRES | {POSTGRES_VERSION})))
        raise NotUsable(
            f"{cluster} was made by PostgreSQL {version}; this version of the platform reads"
            f" {readable}. {_WAY_OUT}"
        )
    if kept.exists():
        raise NotUsable(f"{kept} is left of an earlier upgrade: move it away, then start again.")
    needed = sum(path.lstat().st_size for path in cluster.rglob("*"))
    free = shutil.disk_usage(cluster).free
    if free < needed:
        raise NotUsable(
            f"The upgrade from PostgreSQL {version} to {POSTGRES_VERSION} copies {cluster}:"
            f" {needed // 1_000_000} MB are needed, and {free // 1_000_000} MB are free."
        )


def _copy(old: ClusterServer, new: ClusterServer, supervisor: Supervisor) -> None:
    """Copy all databases into a new cluster, on which no server runs at the end."""
    with Supervisor(supervisor.stopping, supervisor.say) as servers:
        servers.bring_up([old.member(), new.member()])
        expected = _row_counts(old)
        rows, title = sum(expected.values()), f"PostgreSQL {old.version} to {new.version}"
        supervisor.say("postgres", f"upgrade of {title}: {rows:,} rows")
        _copy_roles(old, new)
        with progress(title, rows) as advance:
            advance_rows = _up_to(rows, advance)
            for database in _databases(old):
                create_database(new.url(), database)
                _copy_database(old, new, database, supervisor, advance_rows)
        _compare(old, expected, _row_counts(new))
        for database in _databases(new):
            _execute(new.url(database), "ANALYZE")  # statistics aren't dumped
        _execute(new.url(), "CHECKPOINT")  # so that the server ends at once


def _up_to(limit: int, advance: Advance) -> Advance:
    """Advance up to a limit: a dump has some lines more than rows."""
    left = limit

    def limited(amount: int) -> None:
        nonlocal left
        amount = min(amount, left)
        left -= amount
        advance(amount)

    return limited


def _databases(server: ClusterServer) -> list[str]:
    return [str(name) for (name,) in _execute(server.url(), _DATABASES)]


def _row_counts(server: ClusterServer) -> RowCounts:
    counts = {}
    for database in _databases(server):
        for schema, table in _execute(server.url(database), _TABLES):
            query = SQL("SELECT count(*) FROM {}").format(Identifier(schema, table))
            [(count,)] = _execute(server.url(database), query)
            counts[database, schema, table] = int(count)
    return counts


def _execute(url: str, statement: Any) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(url)) as session, session.cursor() as cursor:
        session.autocommit = True
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def _copy_roles(old: ClusterServer, new: ClusterServer) -> None:
    """Copy the roles. The new cluster has one of them already, so errors are no failure."""
    dump: Command = [new.programs / "pg_dumpall", "--roles-only", "--dbname", old.url()]
    common: dict[str, Any] = {"stderr": DEVNULL, **_as_server(new)}
    roles = run(dump, check=False, stdout=PIPE, **common).stdout
    run([*_psql(new), new.url()], check=False, input=roles, stdout=DEVNULL, **common)


def _as_server(server: ClusterServer) -> dict[str, Any]:
    """Arguments of subprocess: its account, in a directory that this one may enter."""
    return {"cwd": server.cluster.parent, **as_account(server.layout.account)}


def _psql(server: ClusterServer) -> Command:
    # Terse errors, because the others quote rows: among them are password hashes, digests and keys.
    terse = ("--set", "VERBOSITY=terse")
    return [server.programs / "psql", "--no-psqlrc", "--quiet", *terse, "--dbname"]


def _copy_database(
    old: ClusterServer,
    new: ClusterServer,
    database: str,
    supervisor: Supervisor,
    advance: Advance,
) -> None:
    dump: Command = [new.programs / "pg_dump", "--dbname", old.url(database)]
    restore: Command = [*_psql(new), new.url(database), "--set", "ON_ERROR_STOP=1"]
    with TemporaryFile() as errors:
        common: dict[str, Any] = {"stderr": errors, **_as_server(new)}
        with (
            Popen(dump, stdout=PIPE, **common) as dumping,
            Popen(restore, stdin=PIPE, stdout=DEVNULL, **common) as restoring,
        ):
            assert dumping.stdout and restoring.stdin  # noqa: S101, PT018 - both are pipes
            try:
                _pump(dumping.stdout, restoring.stdin, advance, supervisor.stopping.is_set)
            except BaseException:
                dumping.kill()
                restoring.kill()
                raise
        if dumping.returncode or restoring.returncode:
            errors.seek(0)
            raise _failure(old, errors.read().decode(errors="replace").strip())


def _pump(
    source: IO[bytes], target: IO[bytes], advance: Advance, stops: Callable[[], bool]
) -> None:
    """Copy a dump to its restore; each row of it is a line. Raises Stopped."""
    try:
        while chunk := source.read(_CHUNK_BYTES):
            if stops():
                raise Stopped
            target.write(chunk)
            advance(chunk.count(b"\n"))
    except BrokenPipeError:
        pass  # the restore has ended: its exit status tells
    finally:
        with suppress(BrokenPipeError):
            target.close()


def _compare(old: ClusterServer, expected: RowCounts, copied: RowCounts) -> None:
    differences = [
        f"{'.'.join(table)} has {rows:,} rows, its copy {copied.get(table, 0):,}"
        for table, rows in expected.items()
        if rows != copied.get(table)
    ]
    if differences:
        raise _failure(old, "\n".join(differences))


def _failure(old: ClusterServer, reason: str) -> NotUsable:
    return NotUsable(
        f"The data of PostgreSQL {old.version} could not be copied to {POSTGRES_VERSION}:\n"
        f"{reason}\n{old.cluster} is unchanged. {_WAY_OUT}"
    )
