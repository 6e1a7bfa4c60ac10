"""HTTP server of the fake TMDb: key, rate limit, ETag, injected faults and control routes."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, socket
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from infra.fake_tmdb import payloads
from infra.fake_tmdb.faults import FaultQueue, InjectedFault
from infra.fake_tmdb.films import FilmCatalogue
from infra.fake_tmdb.rate_limit import RequestLimit
from infra.fake_tmdb.router import ApiResponse, answer

TOKEN, KEY = "a-read-access-token", "an-api-key"
_HTML_PAGE = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"
_PREFIX = "/3"


class FakeTmdb(ThreadingHTTPServer):
    """Serves the API below ``url``; counts requests and responses."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, films: FilmCatalogue, *, port: int = 0, per_second: int = 40) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.films = films
        self.rate_limit = RequestLimit(per_second)
        self.faults = FaultQueue()
        self.asked: Counter[str] = Counter()
        """Requests by path."""
        self.answered: Counter[int] = Counter()
        """Responses by status."""
        self.lock = Lock()
        self.ending = Event()
        self._open: set[socket] = set()

    @property
    def url(self) -> str:
        """Base URL of the API."""
        return f"http://127.0.0.1:{self.server_address[1]}{_PREFIX}"

    def get_request(self) -> tuple[socket, Any]:
        """Accept a connection and remember it for ``hang_up``."""
        connection, address = super().get_request()
        with self.lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        with self.lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Shut down all connections, idle keep-alive ones too."""
        self.ending.set()
        with self.lock:
            waiting = list(self._open)
        for connection in waiting:
            with suppress(OSError):
                connection.shutdown(SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that hang up."""


@contextmanager
def running(films: FilmCatalogue, *, port: int = 0, per_second: int = 40) -> Iterator[FakeTmdb]:
    """Run a server in a thread of this process."""
    with FakeTmdb(films, port=port, per_second=per_second) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
            server.hang_up()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeTmdb
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Respond, or inject the next fault."""
        parts = urlsplit(self.path)
        with self.server.lock:
            self.server.asked[parts.path] += 1
        if parts.path == "/fake/counts":
            self._send(ApiResponse(200, self._counts()))
        elif parts.path == "/fake/progress":
            self._send(ApiResponse(200, self._progress()))
        elif (fault := self.server.faults.next(parts.path)) is not None:
            self._inject(fault, parts.path, dict(parse_qsl(parts.query)))
        else:
            self._answer(parts.path, dict(parse_qsl(parts.query)))

    def do_POST(self) -> None:
        """Run a control request of tests or the demo: see ``_control``."""
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        self._control(urlsplit(self.path).path, body)
        self._send(ApiResponse(200, {"success": True}))

    def _control(self, path: str, body: dict[str, Any]) -> None:
        films = self.server.films
        match path.strip("/").split("/"):
            case ["fake", "trouble"]:
                self.server.faults.add(InjectedFault(**body))
            case ["fake", "well"]:
                self.server.faults.clear()
            case ["fake", "shuffle"]:
                films.shuffle(body["seed"])
            case ["fake", "films", film, "change"]:
                films.change(int(film), **body)
            case ["fake", "films", film, "delete"]:
                films.delete(int(film))
            case ["fake", "films", film, "merge"]:
                films.merge(int(film), body["into"])
            case _:
                raise LookupError(path)

    def _counts(self) -> Mapping[str, Any]:
        with self.server.lock:
            return {
                "asked": dict(self.server.asked),
                "answered": dict(self.server.answered),
                "refused": self.server.rate_limit.refused,
            }

    def _progress(self) -> Mapping[str, Any]:
        """A short form of the counts, for frequent polling."""
        with self.server.lock:
            films = sum(path.rpartition("/")[2].isdecimal() for path in self.server.asked)
            return {"films": films, "allowed": self.server.rate_limit.allowed}

    # ------------------------------------------------------------------------------ answers

    def _answer(self, path: str, query: dict[str, str]) -> None:
        if not self._is_authorised(query):
            message = "Invalid API key: You must be granted a valid key."
            self._send(ApiResponse(401, payloads.problem(7, message)))
        elif not self.server.rate_limit.allows():
            self._limited("1")
        elif not path.startswith(f"{_PREFIX}/"):
            message = "The resource you requested could not be found."
            self._send(ApiResponse(404, payloads.problem(34, message)))
        else:
            self._send(answer(self.server.films, path.removeprefix(_PREFIX), query))

    def _is_authorised(self, query: Mapping[str, str]) -> bool:
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        return given == TOKEN or query.get("api_key") == KEY

    def _limited(self, retry_after: str) -> None:
        message = "Your request count (41) is over the allowed limit of (40)."
        self._send(ApiResponse(429, payloads.problem(25, message)), {"Retry-After": retry_after})

    def _send(self, answer: ApiResponse, headers: Mapping[str, str] = {}) -> None:
        body = json.dumps(answer.body, separators=(",", ":")).encode()
        tag = f'W/"{sha256(body).hexdigest()[:32]}"'
        if answer.status == HTTPStatus.OK and self.headers.get("If-None-Match") == tag:
            self._write(304, b"", {"ETag": tag})
            return
        kind = {"Content-Type": "application/json;charset=utf-8", "ETag": tag}
        self._write(answer.status, body, {**kind, **headers})

    def _write(
        self, status: int, body: bytes, headers: Mapping[str, str], *, length: int | None = None
    ) -> None:
        with self.server.lock:
            self.server.answered[status] += 1
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    # ------------------------------------------------------------------------------ faults

    def _inject(self, fault: InjectedFault, path: str, query: dict[str, str]) -> None:
        match fault.kind:
            case "limited":
                self._limited(fault.retry_after)
            case "slow":
                self.server.ending.wait(fault.seconds)
                self._answer(path, query)
            case "cut":
                self._write(200, b'{"id":', {"Content-Type": "application/json"}, length=5000)
                self.close_connection = True
            case "html":
                self._write(200, _HTML_PAGE, {"Content-Type": "text/html"})
            case "torn":
                self._write(200, b'{"page":1,"resul', {"Content-Type": "application/json"})
            case "offline":
                message = "Service offline: This service is temporarily offline, try again later."
                self._send(ApiResponse(503, payloads.problem(9, message)))
            case "fault":
                message = "Internal error: Something went wrong, contact TMDB."
                self._send(ApiResponse(500, payloads.problem(11, message)))
            case "key":
                message = "Invalid API key: You must be granted a valid key."
                self._send(ApiResponse(401, payloads.problem(7, message)))

            case "proxy":
                self._send(ApiResponse(fault.status, {"error": "You shall not pass."}))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
        """Log nothing: the counts show the requests."""
