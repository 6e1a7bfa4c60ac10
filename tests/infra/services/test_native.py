"""Native servers: start, restart, ports, and no foreign process touched."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from redis import Redis

from infra.platform.supervisor import Supervisor
from infra.services import (
    PortTaken,
    ensure,
    native,
    native_servers,
    planned,
    ports,
    process_table,
    stop,
)
from infra.services.ports import LOOPBACK, free
from infra.services.postgres import POSTGRES
from infra.services.postgres import url as postgres_url
from infra.services.redis import REDIS
from infra.services.server import Server
from tests.fixtures.waiting import until


@pytest.fixture
def listener():
    """A port that is taken: this process listens on it."""
    with socket.socket() as held:
        held.bind((LOOPBACK, free()))
        held.listen()
        yield held.getsockname()[1]


def main_pid(server: Server, services: Path) -> int:
    processes = _all(server, services)
    pids = {process.pid for process in processes}
    [main] = [process.pid for process in processes if process.parent not in pids]
    return main


def _all(server: Server, services: Path) -> list[process_table.ProcessInfo]:
    return process_table.belonging_to(native.home_of(server, services).path, server.program)


def test_second_start_changes_nothing(checkout, only_redis):
    first = ensure(only_redis)
    before = main_pid(REDIS, checkout)
    assert ensure(only_redis) == first == planned(only_redis)
    assert main_pid(REDIS, checkout) == before


def test_concurrent_starts_make_one_server(checkout, only_redis):
    with ThreadPoolExecutor() as threads:
        one, other = threads.map(ensure, (only_redis, only_redis))
    assert one == other
    assert main_pid(REDIS, checkout)


def test_killed_redis_restarts_with_its_data(checkout, only_redis):
    url = ensure(only_redis).redis
    Redis.from_url(url).set("kept", "yes")
    os.kill(main_pid(REDIS, checkout), signal.SIGKILL)
    assert ensure(only_redis).redis == url
    assert Redis.from_url(url).get("kept") == b"yes"


def test_leftovers_of_a_killed_server_do_not_change_its_ports(checkout, monkeypatch):
    native.start([REDIS], checkout)
    before = native.home_of(REDIS, checkout)
    main = main_pid(REDIS, checkout)
    monkeypatch.setattr(native, "is_alive", lambda _server, _path: False)  # but it holds its port
    assert native.home_of(REDIS, checkout) == before
    native.bring_up(REDIS, before)
    assert main_pid(REDIS, checkout) != main
    assert native.home_of(REDIS, checkout) == before


def test_killed_postgres_restarts_when_its_pid_is_reused(checkout):
    native.start([POSTGRES], checkout)
    home = native.home_of(POSTGRES, checkout)
    os.kill(main_pid(POSTGRES, checkout), signal.SIGKILL)
    stale = home.path / "cluster" / "postmaster.pid"
    stale.write_text("\n".join([str(os.getpid()), *stale.read_text().splitlines()[1:]]))
    native.start([POSTGRES], checkout)
    psycopg2.connect(postgres_url(home.ports)).close()


def test_postgres_starts_after_a_killed_first_start(checkout):
    home = native.home_of(POSTGRES, checkout)
    half = home.path / "cluster.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("")
    native.start([POSTGRES], checkout)
    assert native.is_up(POSTGRES, checkout)


def test_hanging_server_is_ended(checkout, only_redis):
    ensure(only_redis)
    os.kill(main_pid(REDIS, checkout), signal.SIGSTOP)
    home = native.home_of(REDIS, checkout).path
    assert process_table.end(home, REDIS.program, stop_signal=signal.SIGTERM, seconds=0.2)
    assert not native.is_up(REDIS, checkout)


def test_stop_ends_only_own_processes(checkout, only_redis):
    ensure(only_redis)
    home = native.home_of(REDIS, checkout).path
    with subprocess.Popen(["sleep", "600"], cwd=home) as bystander:
        try:
            stop()
            assert bystander.poll() is None
            assert not _all(REDIS, checkout)
        finally:
            bystander.terminate()


def test_checkouts_have_servers_and_ports_of_their_own(checkouts):
    one, other = checkouts(), checkouts()
    for services in (one, other):
        native.start([REDIS], services)
    assert native.home_of(REDIS, one).ports != native.home_of(REDIS, other).ports
    native.stop([REDIS], one)
    assert native.is_up(REDIS, other)


def test_taken_port_from_the_environment_is_reported_with_its_holder(
    only_redis, listener, monkeypatch
):
    monkeypatch.setenv("SERVICES_REDIS_PORT", str(listener))
    with pytest.raises(PortTaken, match=f"port {listener} .*process {os.getpid()} "):
        ensure(only_redis)


@contextmanager
def other_process_with_ports(run: int) -> Iterator[int]:
    """First port of another process that was given as many ports."""
    program = f"from infra.services.ports import free; print(free(run={run}), flush=True); input()"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield int(next(iter(process.stdout or ())))
        finally:
            process.kill()


def test_port_held_by_another_process_is_not_given(monkeypatch):
    with other_process_with_ports(run=1) as port:
        monkeypatch.setattr(ports, "PORTS", range(port, port + 1))
        with pytest.raises(PortTaken, match=f"No port from {port} to {port} is free"):
            free()
    assert free() == port


def test_port_is_given_once(monkeypatch):
    with other_process_with_ports(run=4) as first:
        monkeypatch.setattr(ports, "PORTS", range(first, first + 4))
    with socket.socket() as held:
        held.bind((LOOPBACK, first + 1))
        held.listen()
        assert free(run=2) == first + 2
        assert free() == first
        with pytest.raises(PortTaken):
            free()


def test_recorded_port_is_not_given_while_its_server_is_down(checkout, only_redis, monkeypatch):
    ensure(only_redis)
    port = native.home_of(REDIS, checkout).ports["redis"]
    stop()
    monkeypatch.setattr(ports, "PORTS", range(port, port + 1))
    with pytest.raises(PortTaken):
        free()
    ensure(only_redis)
    assert native.home_of(REDIS, checkout).ports["redis"] == port


def test_recorded_port_that_was_taken_is_replaced(checkout, only_redis, listener):
    (checkout / "ports.json").parent.mkdir(parents=True, exist_ok=True)
    (checkout / "ports.json").write_text(f'{{"redis": {listener}}}')
    assert str(listener) not in ensure(only_redis).redis


def test_given_servers_are_used_as_given(only_redis, redis_url):
    addresses = ensure(only_redis | {"MARQUEE_REDIS_URL": redis_url})
    assert addresses.postgres == "postgresql://brought/postgres"
    assert (addresses.bus, addresses.elasticsearch) == ("amqp://brought", "http://brought")
    assert addresses.bus_admin == ""
    assert Redis.from_url(addresses.query_redis).get("nothing") is None


def test_killed_server_is_restarted_on_its_port(checkout, only_redis):
    url = ensure(only_redis).redis
    with Supervisor() as supervisor:
        supervisor.watch(native_servers(only_redis))
        for _ in range(2):
            killed = main_pid(REDIS, checkout)
            os.kill(killed, signal.SIGKILL)
            until(lambda dead=killed: pids(REDIS, checkout) - {dead}, supervisor.restart_ended)
            until(lambda: native.is_up(REDIS, checkout), supervisor.restart_ended)
    assert ensure(only_redis).redis == url
    os.kill(main_pid(REDIS, checkout), signal.SIGKILL)
    until(lambda: not pids(REDIS, checkout))


def pids(server: Server, services: Path) -> set[int]:
    return {process.pid for process in _all(server, services)}
