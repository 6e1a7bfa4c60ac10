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
    """Port of a command API; the requests of these tests need no database."""
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
def send_partially(port):
    """Connect a client that sends part of a request and then stops."""
    with ExitStack() as stack:

        def send(sent):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall(sent)
            return client

        yield send


def request(port, method, path, **more):
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_SECONDS) as client:
        return client.request(method, path, **more)


def test_unfinished_headers_hold_no_thread(port, send_partially):
    for _ in range(SLOW):
        send_partially(HEAD[:30])
    assert request(port, "GET", "/health/live").status_code == 200


def test_unfinished_bodies_hold_only_half_of_the_threads(port, send_partially):
    clients = [send_partially(HEAD + BODY[:3]) for _ in range(SLOW)]
    assert request(port, "GET", "/health/live").status_code == 200
    # The others are answered 503, one after the other; two keep their threads until they close.
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
        answer = request(port, "POST", "/v1/tokens/revoke", content=BODY, headers=AS_JSON)
        return answer.status_code == 401

    until(is_served)


def test_server_refuses_too_long_headers_itself(port):
    for headers in ({"X-Long": "x" * 20_000}, {f"X-{nth}": "x" for nth in range(150)}):
        assert request(port, "GET", "/health/live", headers=headers).status_code == 431
