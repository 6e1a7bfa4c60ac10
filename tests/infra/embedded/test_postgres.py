"""PostgreSQL whose sessions end in the middle of an answer: the driver's errors are recognised."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from threading import Thread

import psycopg2
import pytest
from django.db import Error as DatabaseError
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper

from infra.clients import is_store_failure
from infra.embedded.engines import postgres_member, postgres_url
from infra.embedded.layout import Layout, layout_of
from infra.services.process_table import as_account
from tests.fixtures.waiting import until

# Some megabytes of rows are on their way when the session waits in the middle of its answer.
LONG_ANSWER = """
SELECT CASE WHEN nth < 200 THEN repeat('x', 20000) ELSE pg_sleep(600)::text END
  FROM generate_series(1, 201) AS nth
"""


@pytest.fixture(scope="module")
def layout(open_path, embedded_engines) -> Iterator[Layout]:
    """Directory in which only PostgreSQL runs."""
    layout = layout_of(open_path / "postgres-alone")
    member = postgres_member(layout)
    member.start()
    try:
        until(lambda: member.is_ready and member.is_ready())
        yield layout
    finally:
        member.process.stop()


@pytest.fixture
def database(layout, django_db_blocker) -> Iterator[DatabaseWrapper]:
    """A connection as Django makes it."""
    until(lambda: _is_up(layout))  # it recovers from the last test
    sockets = str(layout.sockets)
    place = {"NAME": "postgres", "USER": "postgres", "HOST": sockets, "PORT": ""}
    wrapper = DatabaseWrapper(connections["default"].settings_dict | place, "alone")
    with django_db_blocker.unblock():
        yield wrapper
    wrapper.close()


def _is_up(layout):
    try:
        psycopg2.connect(postgres_url(layout)).close()
    except psycopg2.OperationalError:
        return False
    return True


def kill_in_the_answer(layout, pid, end):
    """End a session once it waits in the middle of its long answer."""

    def watch():
        with closing(psycopg2.connect(postgres_url(layout))) as watcher:
            watcher.autocommit = True
            cursor = watcher.cursor()

            def waits():
                cursor.execute("SELECT wait_event FROM pg_stat_activity WHERE pid = %s", [pid])
                return cursor.fetchone() == ("PgSleep",)

            until(waits)
            end(cursor, pid)

    thread = Thread(target=watch)
    thread.start()
    return thread


ENDS = {
    "killed": lambda _cursor, pid: os.kill(pid, signal.SIGKILL),
    "terminated": lambda cursor, pid: cursor.execute("SELECT pg_terminate_backend(%s)", [pid]),
    "cancelled": lambda cursor, pid: cursor.execute("SELECT pg_cancel_backend(%s)", [pid]),
}


@pytest.mark.parametrize("end", ENDS)
def test_session_that_ends_in_an_answer_is_a_store_failure(layout, database, end):
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    thread = kill_in_the_answer(layout, pid, ENDS[end])
    with pytest.raises(DatabaseError) as lost, database.cursor() as cursor:
        cursor.execute(LONG_ANSWER)
    thread.join(timeout=60)
    assert is_store_failure(lost.value), (lost.value, lost.value.__cause__)


def test_session_ended_while_idle_in_a_transaction_is_a_store_failure(layout, database):
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
        cursor.execute("BEGIN; SET idle_in_transaction_session_timeout = 1")
    with closing(psycopg2.connect(postgres_url(layout))) as watcher:
        watcher.autocommit = True
        looking = watcher.cursor()

        def has_ended():
            looking.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [pid])
            return looking.fetchone() is None

        until(has_ended)
    with pytest.raises(DatabaseError) as lost, database.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert is_store_failure(lost.value), (lost.value, lost.value.__cause__)


@pytest.mark.parametrize("statement", ["CREATE TABLE refused ()", "CREATE ROLE refused"])
def test_refusal_of_a_read_only_server_is_a_store_failure(database, statement):
    with database.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    with pytest.raises(DatabaseError) as refused, database.cursor() as cursor:
        cursor.execute(statement)
    assert is_store_failure(refused.value)


def test_file_that_a_limit_keeps_from_growing_is_a_store_failure(layout, database):
    """A quota and a disk that became read-only are told from other errors as this limit is."""
    with database.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE grown AS SELECT pg_backend_pid() AS pid")
        cursor.execute("SELECT pid FROM grown")
        [pid] = cursor.fetchone()
    limit = ["prlimit", f"--pid={pid}", "--fsize=8192:"]
    subprocess.run(limit, check=True, **as_account(layout.account))
    with pytest.raises(DatabaseError) as refused, database.cursor() as cursor:
        cursor.execute("INSERT INTO grown SELECT generate_series(1, 9999)")
    assert is_store_failure(refused.value), (refused.value, refused.value.__cause__)


@pytest.mark.parametrize("statement", ["SELECT 1 / 0", "SELECT FROM nowhere", "SELECT 'x'::int"])
def test_faults_of_ours_are_none(database, statement):
    with pytest.raises(DatabaseError) as fault, database.cursor() as cursor:
        cursor.execute(statement)
    assert not is_store_failure(fault.value)
