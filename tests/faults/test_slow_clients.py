"""Slow clients: unfinished requests keep nobody else from being answered."""

import socket
from contextlib import ExitStack
from select import select
from time import monotonic, sleep

import httpx
import pytest

from infra.platform.processes import Process, api
from infra.platform.supervisor import answers
from infra.services.ports import free
from tests.fixtures.waiting import until

THREADS = 4
SLOW = 6
PATIENCE_SECONDS = 120
AS_JSON = {"Content-Type": "application/json"}
BUSY = b"HTTP/1.1 503 Service Unavailable"
BODY = b'{"refresh": "x"}'
HEAD = (
    b"POST /v1/tokens/revoke HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
)


@pytest.fixture
def port(redis_url, keys, tmp_path):
    """A command API that is alive, and needs no database for what is asked here."""
    port = free()
    process = Process(
        name="command",
        command=api(port, threads=THREADS),
        environ={"MARQUEE_ROLE": "command", "MARQUEE_REDIS_URL": redis_url},
        log=tmp_path / "command.log",
    )
    process.start()
    try:
        is_ready, deadline = answers(f"http://127.0.0.1:{port}/health/live"), monotonic() + 60
        while not is_ready():
            assert monotonic() < deadline, process.log_tail()
            sleep(0.05)
        yield port
    finally:
        process.stop()


@pytest.fixture
def slow(port):
    """Makes clients that send so much and then no more."""
    with ExitStack() as stack:

        def slow(sent):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall(sent)
            return client

        yield slow


def ask(port, method, path, **more):
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_SECONDS) as client:
        return client.request(method, path, **more)


def test_unfinished_headers_hold_no_thread(port, slow):
    for _ in range(SLOW):
        slow(HEAD[:30])
    assert ask(port, "GET", "/health/live").status_code == 200


def test_unfinished_bodies_hold_only_half_of_the_threads(port, slow):
    clients = [slow(HEAD + BODY[:3]) for _ in range(SLOW)]
    assert ask(port, "GET", "/health/live").status_code == 200
    # Those of the other half are told, one after the other; two are read for as long as they stay.
    status_lines: list[bytes] = []
    waiting = set(clients)
    while len(status_lines) < SLOW - THREADS // 2:
        ready, _, _ = select(waiting, [], [], PATIENCE_SECONDS)
        assert ready
        status_lines += [client.recv(100).split(b"\r\n")[0] for client in ready]
        waiting -= set(ready)
    assert set(status_lines) == {BUSY}
    for client in clients:
        client.close()

    def is_served():
        answer = ask(port, "POST", "/v1/tokens/revoke", content=BODY, headers=AS_JSON)
        return answer.status_code == 401

    until(is_served)


def test_server_refuses_too_long_headers_itself(port):
    for headers in ({"X-Long": "x" * 20_000}, {f"X-{nth}": "x" for nth in range(150)}):
        assert ask(port, "GET", "/health/live", headers=headers).status_code == 431
