"""How does the fake speak HTTP?"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, socket
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.fake_tmdb import shapes
from tests.fake_tmdb.answering import Answer, answer
from tests.fake_tmdb.films import Films
from tests.fake_tmdb.rate import Rate
from tests.fake_tmdb.trouble import Trouble, Troubles

TOKEN, KEY = "a-read-access-token", "an-api-key"
_PAGE_FOR_PEOPLE = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"
_PREFIX = "/3"


class FakeTmdb(ThreadingHTTPServer):
    """A TMDb of one's own."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, films: Films, *, port: int = 0, per_second: int = 40) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.films = films
        self.rate = Rate(per_second)
        self.troubles = Troubles()
        self.asked: Counter[str] = Counter()
        """Requests by path, whatever became of them."""
        self.answered: Counter[int] = Counter()
        """Answers by status."""
        self.lock = Lock()
        self.ending = Event()
        self._open: set[socket] = set()

    @property
    def url(self) -> str:
        """Where the API begins."""
        return f"http://127.0.0.1:{self.server_address[1]}{_PREFIX}"

    def get_request(self) -> tuple[socket, Any]:
        """A new connection."""
        connection, address = super().get_request()
        with self.lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """A connection is over."""
        with self.lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End all connections, also those that wait for another question."""
        self.ending.set()
        with self.lock:
            waiting = list(self._open)
        for connection in waiting:
            with suppress(OSError):
                connection.shutdown(SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are no news here."""


@contextmanager
def running(films: Films, *, port: int = 0, per_second: int = 40) -> Iterator[FakeTmdb]:
    """A fake in a thread of this process."""
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
        """Answer, unless something goes wrong."""
        parts = urlsplit(self.path)
        with self.server.lock:
            self.server.asked[parts.path] += 1
        if parts.path == "/fake/counts":
            self._send(Answer(200, self._counts()))
        elif parts.path == "/fake/progress":
            self._send(Answer(200, self._progress()))
        elif (trouble := self.server.troubles.next(parts.path)) is not None:
            self._go_wrong(trouble, parts.path, dict(parse_qsl(parts.query)))
        else:
            self._answer(parts.path, dict(parse_qsl(parts.query)))

    def do_POST(self) -> None:
        """What tests and the demo ask of it: see ``_obey``."""
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        self._obey(urlsplit(self.path).path, body)
        self._send(Answer(200, {"success": True}))

    def _obey(self, path: str, body: dict[str, Any]) -> None:
        films = self.server.films
        match path.strip("/").split("/"):
            case ["fake", "trouble"]:
                self.server.troubles.add(Trouble(**body))
            case ["fake", "well"]:
                self.server.troubles.clear()
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
                "refused": self.server.rate.refused,
            }

    def _progress(self) -> Mapping[str, Any]:
        """In few words, for those who ask often."""
        with self.server.lock:
            films = sum(path.rpartition("/")[2].isdecimal() for path in self.server.asked)
            return {"films": films, "allowed": self.server.rate.allowed}

    # ------------------------------------------------------------------------------ answers

    def _answer(self, path: str, query: dict[str, str]) -> None:
        if not self._may_ask(query):
            message = "Invalid API key: You must be granted a valid key."
            self._send(Answer(401, shapes.problem(7, message)))
        elif not self.server.rate.allows():
            self._limited("1")
        elif not path.startswith(f"{_PREFIX}/"):
            message = "The resource you requested could not be found."
            self._send(Answer(404, shapes.problem(34, message)))
        else:
            self._send(answer(self.server.films, path.removeprefix(_PREFIX), query))

    def _may_ask(self, query: Mapping[str, str]) -> bool:
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        return given == TOKEN or query.get("api_key") == KEY

    def _limited(self, retry_after: str) -> None:
        message = "Your request count (41) is over the allowed limit of (40)."
        self._send(Answer(429, shapes.problem(25, message)), {"Retry-After": retry_after})

    def _send(self, answer: Answer, headers: Mapping[str, str] = {}) -> None:
        body = json.dumps(answer.body, separators=(",", ":")).encode()
        tag = f'W/"{sha256(body).hexdigest()[:32]}"'
        if answer.status == 200 and self.headers.get("If-None-Match") == tag:
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
        if status != 304:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    # ------------------------------------------------------------------------------ faults

    def _go_wrong(self, trouble: Trouble, path: str, query: dict[str, str]) -> None:
        match trouble.kind:
            case "limited":
                self._limited(trouble.retry_after)
            case "slow":
                self.server.ending.wait(trouble.seconds)
                self._answer(path, query)
            case "cut":
                self._write(200, b'{"id":', {"Content-Type": "application/json"}, length=5000)
                self.close_connection = True
            case "html":
                self._write(200, _PAGE_FOR_PEOPLE, {"Content-Type": "text/html"})
            case "torn":
                self._write(200, b'{"page":1,"resul', {"Content-Type": "application/json"})
            case "offline":
                message = "Service offline: This service is temporarily offline, try again later."
                self._send(Answer(503, shapes.problem(9, message)))
            case "fault":
                message = "Internal error: Something went wrong, contact TMDB."
                self._send(Answer(500, shapes.problem(11, message)))
            case "key":
                message = "Invalid API key: You must be granted a valid key."
                self._send(Answer(401, shapes.problem(7, message)))

            case "proxy":
                self._send(Answer(trouble.status, {"error": "You shall not pass."}))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
        """Say nothing: whoever wants to know asks for the counts."""
