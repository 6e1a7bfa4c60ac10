"""Server fixtures: real, empty, and only for tests that ask."""

import os
import socket
import subprocess
from contextlib import ExitStack, closing

import httpx
import pika
import psycopg2
import pytest
from django.db import connection, connections, transaction
from redis import Redis

from infra.config import config
from infra.services import create_database, drop_database
from infra.services.paths import CHECKOUT
from tests.fixtures import indices, leftovers
from tests.fixtures.isolation import SocketBlocked


def test_unit_test_cannot_connect():
    with socket.socket() as remote, pytest.raises(SocketBlocked):
        remote.connect(("127.0.0.1", 9))
    with socket.socket(socket.AF_UNIX) as local, pytest.raises(SocketBlocked):
        local.connect("/nowhere")


def test_server_fixture_marks_the_test_integration(request, redis_url):
    assert request.node.get_closest_marker("integration")
    assert not Redis.from_url(redis_url).keys()


def test_given_environment_is_known_after_planning(pytester, monkeypatch):
    """Also in an xdist worker, which inherits its controller's environment."""
    environ = {
        "MARQUEE_DATABASE_URL": "postgresql://marquee@postgres:5432/marquee",
        "MARQUEE_BUS_URL": "amqp://guest:guest@rabbitmq:5672/%2F",
        "MARQUEE_REDIS_URL": "redis://redis:6379/0",
        "MARQUEE_ELASTICSEARCH_URL": "http://elasticsearch:9200",
    }
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    for name in [name for name in os.environ if name.startswith(("MARQUEE_", "TEST_RUN_"))]:
        monkeypatch.delenv(name)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    pytester.makepyfile(
        f"""
        import os
        from tests.fixtures import environment

        def test_it():
            before = {{
                name: value
                for name, value in environment.given().items()
                if name.startswith(("MARQUEE_", "TEST_RUN_"))
            }}
            assert before == {environ!r}
            assert os.environ["MARQUEE_BUS_URL"].endswith(f"@rabbitmq:5672/{{environment.RUN}}")
            assert os.environ["MARQUEE_REDIS_URL"].startswith("redis://redis:6379/")
        """
    )
    for workers in ("0", "1"):
        result = pytester.runpytest_subprocess(
            *("-p", "no:django", "-p", "tests.fixtures.environment", "-n", workers)
        )
        result.assert_outcomes(passed=1)


@pytest.mark.parametrize("_again", range(2))
def test_log_is_empty_for_each_test(log_database, _again):
    assert config().database_url == log_database
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT sum(head), count(*) FROM partitions")
        assert cursor.fetchone() == (0, config().partitions)
        cursor.execute("UPDATE partitions SET head = 1")


@pytest.mark.parametrize("_again", range(2))
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE events ADD COLUMN stray integer",
        "ALTER TABLE subjects ADD CONSTRAINT stray CHECK (state <> '')",
        "CREATE TABLE stray ()",
        "CREATE FUNCTION stray() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_changed_schema_is_replaced_after_each_test(log_database, vault_database, change, _again):
    alias = "vault" if "subjects" in change else "default"
    with connections[alias].cursor() as cursor:
        cursor.execute(change)


@pytest.fixture
def left_open():
    """Connections that are closed after the databases were emptied."""
    with ExitStack() as stack:
        yield stack


@pytest.mark.parametrize("_again", range(2))
def test_open_transaction_does_not_outlive_its_test(left_open, log_database, _again):
    session = left_open.enter_context(closing(psycopg2.connect(log_database)))
    cursor = session.cursor()
    cursor.execute("LOCK TABLE events NOWAIT")
    cursor.execute("SELECT sum(head) FROM partitions")
    assert cursor.fetchone() == (0,)
    cursor.execute("UPDATE partitions SET head = 1")


def test_other_connections_see_the_committed_log(log_database, vault_database):
    for url in (log_database, vault_database):
        session = psycopg2.connect(url)
        with session.cursor() as cursor:
            cursor.execute("SHOW fsync")
            assert cursor.fetchone() == ("on",)
        session.close()
    assert log_database != vault_database


@pytest.mark.parametrize("_again", range(2))
def test_queues_are_deleted_after_each_test(bus_url, namespace, _again):
    connection = pika.BlockingConnection(pika.URLParameters(bus_url))
    channel = connection.channel()
    declared = channel.queue_declare(
        f"{config().namespace}/same name", durable=True, arguments={"x-queue-type": "quorum"}
    )
    assert declared.method.message_count == 0
    channel.basic_publish("", declared.method.queue, b"left behind")
    channel.exchange_declare(namespace)
    connection.close()


@pytest.mark.parametrize("_again", range(2))
def test_indices_are_deleted_after_each_test(elasticsearch_url, namespace, _again):
    for name in (config().namespace, namespace):
        assert httpx.put(f"{elasticsearch_url}/{name}", timeout=60).status_code == httpx.codes.OK


def test_each_test_has_its_own_namespace(namespace):
    assert namespace.startswith(f"{config().namespace}-")
    assert config().namespace == f"test-{os.getpid()}"


def test_failed_thread_fails_its_test(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    pytester.makeconftest("from tests.fixtures.isolation import _threads_do_not_fail")
    pytester.makepyfile(
        """
        import threading

        def test_passes_over_a_dead_worker():
            worker = threading.Thread(target=lambda: 1 / 0)
            worker.start()
            worker.join()
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:django")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*ZeroDivisionError*"])


def test_leftovers_of_killed_runs_are_dropped(services):
    ended = subprocess.Popen(["true"])
    ended.wait()
    dead = f"test_log_{ended.pid}_template"
    alive = f"test_log_{os.getpid()}_sweep"
    for name in (dead, alive):
        create_database(services.postgres, name)
    index = f"{services.elasticsearch}/test-{ended.pid}-7-movies"
    httpx.put(index, timeout=60).raise_for_status()
    leftovers.sweep(services)
    assert dead not in leftovers.databases(services.postgres)
    assert alive in leftovers.databases(services.postgres)
    assert not indices.names(services.elasticsearch, f"test-{ended.pid}")
    drop_database(services.postgres, alive)
