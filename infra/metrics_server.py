"""Metrics server: ``/metrics`` and ``/health/live`` on a port of their own, MARQUEE_METRICS_PORT.

An API does not serve metrics on its own port: every client could read them there. The server has
threads of its own, so it answers while all threads of an API are busy.
"""

from collections.abc import Callable, Iterable
from socketserver import TCPServer, ThreadingMixIn
from threading import Thread
from typing import Any, TypeAlias
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.db import connections
from prometheus_client import REGISTRY, CollectorRegistry, make_wsgi_app
from prometheus_client.multiprocess import MultiProcessCollector

from infra.config import BadConfig

Application: TypeAlias = Callable[..., Iterable[bytes]]
Refresh: TypeAlias = Callable[[], object]

_ALL_ADDRESSES = "0.0.0.0"  # noqa: S104 - Prometheus runs on another host; the port is not published
_ALIVE = b'{"status":"ok","needs":{}}'  # as the APIs answer
_JSON = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))


def serve(
    port: int, *, registry: CollectorRegistry = REGISTRY, refresh: Refresh = lambda: None
) -> WSGIServer:
    """Serve from a thread; ``refresh`` sets gauges before each answer. Raises BadConfig."""
    try:
        server = make_server(
            _ALL_ADDRESSES, port, application(registry, refresh), _Server, _SilentHandler
        )
    except OSError as error:
        raise BadConfig(f"MARQUEE_METRICS_PORT: {port} can't be used: {error.strerror}") from error
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


def serve_sum_of(directory: str, port: int) -> WSGIServer:
    """Serve the sum of all processes that count in the files of a directory."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, directory)  # type: ignore[no-untyped-call] # it has no types
    return serve(port, registry=registry)


def application(registry: CollectorRegistry, refresh: Refresh) -> Application:
    """The WSGI application."""
    metrics: Application = make_wsgi_app(registry)

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        match environ["PATH_INFO"]:
            case "/metrics":
                _call(refresh)
                return metrics(environ, start_response)
            case "/health/live":
                start_response("200 OK", list(_JSON))  # the server adds to it
                return [_ALIVE]
            case _:
                start_response("404 Not Found", [])
                return []

    return answer


def _call(refresh: Refresh) -> None:
    try:
        refresh()
    finally:
        connections.close_all()  # each request has a thread of its own


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Bind; without the look-up of this host's name, which may wait for a name server."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "metrics", self.server_address[1]
        self.setup_environ()


class _SilentHandler(WSGIRequestHandler):
    timeout = 10  # a client that sends nothing must not keep its thread

    def log_message(self, *_args: object) -> None:
        """Log nothing."""
