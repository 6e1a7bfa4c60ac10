"""PostgreSQL's log: errors without the statements and values that made them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg2
import pytest
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT

from infra.services import native
from infra.services.paths import services_dir
from infra.services.postgres import POSTGRES, PRIVATE_LOG, command
from tests.fixtures import environment
from tests.fixtures.waiting import until

SECRET = "argon2$secret-"
FAILING = {
    "a value twice": "INSERT INTO {table} VALUES ('{secret}'), ('{secret}')",
    "a check": "INSERT INTO {table} VALUES ('{secret} is too long for the check')",
    "a null": "INSERT INTO {table} VALUES (NULL) -- {secret}",
    "a division": "SELECT 1 / 0 FROM (VALUES ('{secret}')) AS it",
    "a timeout": "SET statement_timeout = 1; SELECT pg_sleep(60), '{secret}'",
    "a prepared statement": "PREPARE p AS SELECT 1 / $1, '{secret}'; EXECUTE p (0)",
    "a block": "DO $$ BEGIN PERFORM 1 / 0; END $$ -- {secret}",
}


@pytest.fixture
def server_log(services) -> Path:
    """The log of the tests' PostgreSQL."""
    if "MARQUEE_DATABASE_URL" in environment.given():
        pytest.skip("a given server's log can't be read")
    return native.home_of(POSTGRES, services_dir()).path / "output.log"


@contextmanager
def session(url) -> Iterator["psycopg2.extensions.connection"]:
    connection = psycopg2.connect(url)
    connection.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
    try:
        yield connection
    finally:
        connection.close()


@pytest.fixture
def table(services) -> Iterator[str]:
    name = f"leaks_{uuid4().hex}"
    with session(services.postgres) as connection:
        cursor = connection.cursor()
        cursor.execute(f"CREATE TABLE {name} (hash text PRIMARY KEY CHECK (length(hash) < 60))")
        yield name
        cursor.execute(f"DROP TABLE {name}")


@pytest.mark.parametrize("failure", FAILING)
def test_log_of_a_failing_statement_holds_no_value(services, server_log, table, failure):
    secret = SECRET + uuid4().hex
    end = f"relation_{uuid4().hex}"
    with session(services.postgres) as connection:
        with pytest.raises(psycopg2.Error):
            connection.cursor().execute(FAILING[failure].format(table=table, secret=secret))
        with pytest.raises(psycopg2.errors.UndefinedTable):  # its name is in the message itself
            connection.cursor().execute(f"SELECT FROM {end}")
    until(lambda: end in server_log.read_text(errors="replace"))
    assert secret not in server_log.read_text(errors="replace")


def test_servers_for_tests_and_native_mode_have_the_settings(services, server_log):
    with session(services.postgres) as connection:
        assert settings_of(connection) == PRIVATE_LOG


def settings_of(connection):
    cursor = connection.cursor()
    cursor.execute(
        "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(PRIVATE_LOG)]
    )
    return dict(cursor.fetchall())


@pytest.mark.parametrize(
    "words",
    [command(Path("bin"), Path("home"), {}), POSTGRES.container.arguments],
    ids=["native and embedded", "container"],
)
def test_server_is_started_with_the_settings(words):
    assert {f"{name}={value}" for name, value in PRIVATE_LOG.items()} <= set(words)
