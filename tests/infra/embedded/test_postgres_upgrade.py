"""Data of PostgreSQL 16: copied to today's version, and kept."""

import re
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import psycopg2
import pytest

from infra.embedded import postgres_upgrade
from infra.embedded.binaries import POSTGRES_VERSION
from infra.embedded.engines import postgres_member, postgres_url
from infra.embedded.layout import Layout, layout_of
from infra.embedded.postgres_upgrade import ClusterServer, upgrade
from infra.platform.processes import Process
from infra.platform.supervisor import Stopped, Supervisor
from infra.services import create_database
from infra.services.errors import NotUsable
from infra.services.system_user import current

OLD_VERSION = 16
LOG = """
CREATE TABLE events (
    partition smallint, "offset" bigint, data json, PRIMARY KEY (partition, "offset")
);
INSERT INTO events SELECT n % 4, n, json_build_object('n', n) FROM generate_series(1, 5000) n;
CREATE FUNCTION head() RETURNS bigint LANGUAGE sql AS 'SELECT max("offset") FROM events';
CREATE ROLE reader;
GRANT SELECT ON events TO reader;
"""
VAULT = """
CREATE SCHEMA private;
CREATE TABLE private."Odd ""name" (id serial PRIMARY KEY, name text, secret bytea);
INSERT INTO private."Odd ""name" (name, secret) VALUES
    (E'Désirée\\n\\tline 2\\\\', '\\x00ff0a'), ('', NULL), (NULL, '');
CREATE TABLE empty (id int);
"""
BROKEN_CHECK = """
CREATE FUNCTION passes(bigint) RETURNS bool LANGUAGE sql AS 'SELECT true';
ALTER TABLE events ADD CHECK (passes("offset"));
CREATE OR REPLACE FUNCTION passes(bigint) RETURNS bool LANGUAGE sql AS 'SELECT false';
"""
MISSING_LIBRARY = """
CREATE FUNCTION absent() RETURNS language_handler LANGUAGE c
    AS '$libdir/plpgsql', 'plpgsql_call_handler';
UPDATE pg_proc SET probin = '$libdir/no_such_library' WHERE proname = 'absent';
"""
SECRETS = 'SELECT id, name, secret FROM private."Odd ""name" ORDER BY id'


def execute(url: str, statements: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(url)) as session, session.cursor() as cursor:
        session.autocommit = True
        cursor.execute(statements)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def old_cluster(open_path, embedded_engines) -> Path:
    """A cluster of PostgreSQL 16 whose server was killed."""
    layout = layout_of(open_path / "seed")
    server = ClusterServer(layout, OLD_VERSION, layout.home("postgres") / "cluster")
    with Supervisor() as supervisor:
        member = server.member()
        supervisor.bring_up([member])
        for name, statements in (("marquee", LOG), ("marquee_vault", VAULT)):
            create_database(server.url(), name)
            execute(server.url(name), statements)
        assert isinstance(member.process, Process)
        member.process.stop(signal.SIGKILL)
    return server.cluster


@pytest.fixture
def layout(open_path, old_cluster) -> Iterator[Layout]:
    """A data directory of PostgreSQL 16."""
    layout = layout_of(open_path / "old")
    cluster = layout.home("postgres") / "cluster"
    shutil.copytree(old_cluster, cluster)
    layout.account.own(cluster, *cluster.rglob("*"))
    yield layout
    shutil.rmtree(layout.base)


@pytest.fixture
def query(layout) -> Iterator[Callable[[str, str], list[tuple[Any, ...]]]]:
    """Run a statement on today's server, started at the first one."""
    with Supervisor() as supervisor:

        def query(database: str, statement: str) -> list[tuple[Any, ...]]:
            if not supervisor._members:
                supervisor.bring_up([postgres_member(layout)])
            return execute(postgres_url(layout, database), statement)

        yield query


def supervisor_with(messages: list[str]) -> Supervisor:
    return Supervisor(say=lambda subject, message: messages.append(f"{subject}: {message}"))


def version(cluster: Path) -> str:
    return (cluster / "PG_VERSION").read_text().strip()


def clusters(layout: Layout) -> dict[str, str]:
    """Version of each cluster in a data directory."""
    found = sorted(layout.home("postgres").glob("cluster*"))
    return {path.name: version(path) for path in found}


def test_data_of_killed_postgres_16_is_upgraded_and_kept(layout, query):
    messages: list[str] = []
    with supervisor_with(messages) as supervisor:
        upgrade(layout, supervisor)
        assert clusters(layout) == {"cluster": str(POSTGRES_VERSION), "cluster-16": "16"}
        assert messages[2] == "postgres: upgrade of PostgreSQL 16 to 18: 5,003 rows"
        assert messages[-1].endswith(f"is kept in {layout.home('postgres')}/cluster-16")
        upgrade(layout, supervisor)  # finds nothing to do
        assert len(messages) == 4

    assert query("marquee", "SHOW server_version_num")[0][0].startswith(str(POSTGRES_VERSION))
    assert query("marquee", "SELECT count(*), sum((data->>'n')::int), head() FROM events") == [
        (5000, sum(range(5001)), 5000)
    ]
    assert query("marquee", "SELECT has_table_privilege('reader', 'events', 'SELECT')") == [(True,)]
    secrets = [
        (number, name, secret and bytes(secret))
        for number, name, secret in query("marquee_vault", SECRETS)
    ]
    assert secrets == [(1, "Désirée\n\tline 2\\", b"\x00\xff\n"), (2, "", None), (3, None, b"")]
    new_id = 'INSERT INTO private."Odd ""name" DEFAULT VALUES RETURNING id'
    assert query("marquee_vault", new_id)[0][0] > 3  # a killed server skips numbers
    assert query("marquee_vault", "SELECT count(*) FROM empty") == [(0,)]


def test_interrupted_upgrade_leaves_the_old_data_and_starts_again(layout, query, monkeypatch):
    stopping = Event()

    def stop(*_arguments: object) -> None:
        stopping.set()

    with monkeypatch.context() as patch, Supervisor(stopping) as supervisor:
        patch.setattr(postgres_upgrade, "_copy_roles", stop)
        with pytest.raises(Stopped):
            upgrade(layout, supervisor)
    assert clusters(layout) == {"cluster": "16", "cluster-18": "18"}

    upgrade(layout, Supervisor())
    assert clusters(layout) == {"cluster": "18", "cluster-16": "16"}
    assert query("marquee", "SELECT count(*) FROM events") == [(5000,)]


def test_upgrade_killed_before_its_last_rename_starts_again(layout, query):
    home = layout.home("postgres")
    (home / "cluster").rename(home / "cluster-16")
    (home / "cluster-18").mkdir()
    upgrade(layout, Supervisor())
    assert clusters(layout) == {"cluster": "18", "cluster-16": "16"}
    assert query("marquee", "SELECT head()") == [(5000,)]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [(BROKEN_CHECK, "violates check constraint"), (MISSING_LIBRARY, "no_such_library")],
)
def test_data_that_cannot_be_restored_is_left_unchanged_with_a_reason(layout, damage, reason):
    old = ClusterServer(layout, OLD_VERSION, layout.home("postgres") / "cluster")
    with Supervisor() as supervisor:
        supervisor.bring_up([old.member()])
        execute(old.url("marquee"), damage)
    expected = pytest.raises(NotUsable, match=f"(?s){reason}.*is unchanged")
    with Supervisor() as supervisor, expected as refused:
        upgrade(layout, supervisor)
    assert not re.search("DETAIL|CONTEXT|COPY", str(refused.value))  # they quote rows
    assert clusters(layout) == {"cluster": "16", "cluster-18": "18"}


def test_copy_with_other_row_counts_is_refused(layout, monkeypatch):
    def counts(server: ClusterServer) -> dict[tuple[str, str, str], int]:
        return {("marquee", "public", "events"): 5000 if server.version == OLD_VERSION else 4999}

    monkeypatch.setattr(postgres_upgrade, "_row_counts", counts)
    message = r"marquee\.public\.events has 5,000 rows, its copy 4,999"
    with Supervisor() as supervisor, pytest.raises(NotUsable, match=message):
        upgrade(layout, supervisor)
    assert clusters(layout)["cluster"] == "16"


@pytest.fixture
def offline(tmp_path, monkeypatch) -> Layout:
    """A data directory whose cluster is no more than its version."""
    monkeypatch.setattr("infra.embedded.layout.unprivileged", current)
    return layout_of(tmp_path / "run")


def make_cluster(layout: Layout, text: str, name: str = "cluster") -> None:
    cluster = layout.home("postgres") / name
    cluster.mkdir()
    (cluster / "PG_VERSION").write_text(text)


@pytest.mark.parametrize("text", [None, f"{POSTGRES_VERSION}\n"])
def test_upgrade_leaves_new_and_current_directories_alone(offline, text):
    if text:
        make_cluster(offline, text)
    upgrade(offline, Supervisor())
    assert list(clusters(offline)) == (["cluster"] if text else [])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("15\n", "was made by PostgreSQL 15; this version of the platform reads 16, 18"),
        ("17\n", "was made by PostgreSQL 17"),
        ("19\n", "was made by PostgreSQL 19"),
        ("", "PG_VERSION can't be read"),
        ("9.6\n", "PG_VERSION can't be read"),
    ],
)
def test_cluster_of_an_unknown_version_is_refused_with_a_way_out(offline, text, reason):
    make_cluster(offline, text)
    with pytest.raises(NotUsable, match=f"{reason}.*events export.*make run DATA=DIR"):
        upgrade(offline, Supervisor())


def test_upgrade_does_not_replace_the_data_that_an_earlier_one_kept(offline):
    make_cluster(offline, "16\n")
    make_cluster(offline, "16\n", "cluster-16")
    with pytest.raises(NotUsable, match="cluster-16 is left of an earlier upgrade: move it away"):
        upgrade(offline, Supervisor())


def test_upgrade_without_room_for_a_copy_is_refused(offline, monkeypatch):
    make_cluster(offline, "16\n")
    (offline.home("postgres") / "cluster" / "heap").write_bytes(bytes(3_000_000))

    class Usage:
        free = 2_000_000

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage)
    with pytest.raises(NotUsable, match="3 MB are needed, and 2 MB are free"):
        upgrade(offline, Supervisor())


def test_progress_of_an_upgrade_ends_at_its_rows():
    """A dump has some lines more than rows."""
    shown: list[int] = []
    advance = postgres_upgrade._up_to(10, shown.append)
    for amount in (4, 4, 4, 4):
        advance(amount)
    assert shown == [4, 4, 2, 0]
