"""Redis of compose: its users have the given passwords."""

import os
import subprocess
import time
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

START = Path(__file__).parents[2] / "infra/redis/start"
SECRETS = {
    "REDIS_PASSWORD": "own & 'odd'",
    "REDIS_QUERY_PASSWORD": "query/s",
    "REDIS_CACHE_PASSWORD": "cache & s",
}


@pytest.fixture(scope="module")
def socket(tmp_path_factory, services):
    home = tmp_path_factory.mktemp("redis")
    path = home / "s"
    command = [str(START), "--port", "0", "--unixsocket", str(path)]
    environment = os.environ | SECRETS | {"TMPDIR": str(home)}
    with subprocess.Popen(command, cwd=home, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(path)
            yield path
        finally:
            process.terminate()


def wait_for(path):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            return Redis(unix_socket_path=str(path), password=SECRETS["REDIS_PASSWORD"]).ping()
        except RedisConnectionError:
            time.sleep(0.02)
    pytest.fail("Redis did not start")


def user(socket, name, password):
    return Redis(unix_socket_path=str(socket), username=name, password=password)


def test_redis_of_compose_refuses_clients_without_a_password(socket):
    with pytest.raises((AuthenticationError, ResponseError), match=r"(?i)authentication|auth"):
        Redis(unix_socket_path=str(socket)).ping()


def test_redis_of_compose_does_not_accept_the_files_passwords(socket):
    for name in ("query", "cache"):
        with pytest.raises(AuthenticationError):
            user(socket, name, name).ping()


def test_query_users_of_compose_have_the_rights_of_the_file(socket):
    user(socket, "default", SECRETS["REDIS_PASSWORD"]).set("{movies:1:all}:state:1", "x")
    query = user(socket, "query", SECRETS["REDIS_QUERY_PASSWORD"])
    assert query.get("{movies:1:all}:state:1") == b"x"
    cache = user(socket, "cache", SECRETS["REDIS_CACHE_PASSWORD"])
    assert cache.set("cache:a", 1)
    assert query.incr("throttle:query:a") == 1
    with pytest.raises(NoPermissionError):
        query.set("cache:a", 1)
    with pytest.raises(NoPermissionError):
        cache.get("{movies:1:all}:state:1")
    with pytest.raises(NoPermissionError):
        query.set("{movies:1:all}:state:1", "y")
    with pytest.raises(NoPermissionError):
        query.delete("throttle:command:a")
    with pytest.raises(NoPermissionError):
        query.flushall()


@pytest.mark.parametrize("name", ["query", "cache"])
def test_query_users_of_compose_cannot_become_the_default_user(socket, name):
    """No rights are needed to leave a user: RESET, AUTH and HELLO are always allowed."""
    password = SECRETS[f"REDIS_{name.upper()}_PASSWORD"]
    with user(socket, name, password) as connected:
        for words in (("AUTH", "default", password), ("AUTH", password), ("AUTH", "default", "")):
            with pytest.raises((AuthenticationError, ResponseError)):
                connected.execute_command(*words)
        left = connected.connection_pool.get_connection()
        left.send_command("RESET")  # not by the client, which would log in again
        assert left.read_response() == b"RESET"
        left.send_command("GET", "a")
        with pytest.raises(AuthenticationError):
            left.read_response()
