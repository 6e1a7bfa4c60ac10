"""Starts, stops and finds native servers: processes on this machine."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from infra.services import apt, process_table
from infra.services.errors import DidNotStart
from infra.services.paths import locked, server_dir
from infra.services.ports import reserve
from infra.services.process_table import ProcessInfo
from infra.services.progress import say
from infra.services.server import Home, Server
from infra.services.system_user import unprivileged

# RabbitMQ takes 12 s and Elasticsearch 15 s on two idle cores; both may share them with a build.
_START_SECONDS = 180
_STOP_SECONDS = 30
_FORK_SECONDS = 5.0
_PAUSE_SECONDS = 0.05
_LOG_LINES = 15


def start(servers: Sequence[Server], services: Path) -> None:
    """Start servers that do not run, concurrently."""
    homes = [(server, home_of(server, services)) for server in servers]
    down = [(server, home) for server, home in homes if not _answers(server, home)]
    missing = [package for server, _ in down for package in server.packages()]
    if missing:
        apt.install(missing)
    with ThreadPoolExecutor(max_workers=len(servers) or 1) as threads:
        list(threads.map(lambda pair: bring_up(*pair), down))


def stop(servers: Sequence[Server], services: Path) -> None:
    with ThreadPoolExecutor(max_workers=len(servers) or 1) as threads:
        list(threads.map(lambda server: _stop_server(server, services), servers))


def is_up(server: Server, services: Path) -> bool:
    return _answers(server, home_of(server, services))


def _answers(server: Server, home: Home) -> bool:
    return is_alive(server, home.path) and server.answers(home.ports)


def is_alive(server: Server, home: Path) -> bool:
    return find(server, home) is not None


def find(server: Server, home: Path) -> ProcessInfo | None:
    """The server's main process, the parent of its others."""
    processes = [
        process
        for process in process_table.belonging_to(home, server.program)
        if process.program == server.program
    ]
    pids = {process.pid for process in processes}
    return next((process for process in processes if process.parent not in pids), None)


def ports_of(server: Server, services: Path) -> dict[str, int]:
    return dict(home_of(server, services).ports)


def home_of(server: Server, services: Path) -> Home:
    """The server's directory, ports and account; chooses ports that are not recorded."""
    account = unprivileged()
    path = server_dir(services, server.name, account)

    def in_use() -> bool:
        # Children of a killed server, or its port mapper, may hold the ports, too.
        return bool(process_table.belonging_to(path, server.program))

    ports = reserve(services / "ports.json", server.ports, in_use=in_use)
    return Home(path=path, ports=ports, account=account)


def bring_up(server: Server, home: Home) -> None:
    """Start a server and wait until it answers; ends leftovers first. Locked between processes."""
    began = time.monotonic()
    with locked(home.path.with_suffix(".lock")):
        if is_alive(server, home.path):
            say(server.name, "is already starting")
            if _comes_up(server, home):
                return
            say(server.name, "does not answer: restarting it")
        # Leftovers of a killed server would hold its ports and files.
        _end(server, home.path)
        _launch(server, home)
    say(server.name, f"up after {time.monotonic() - began:.1f} s")


def _launch(server: Server, home: Home) -> None:
    _spawn(server, home)
    if not _comes_up(server, home):
        tail = "\n".join(_log(home.path))
        raise DidNotStart(f"{server.name} did not start. Its output in {home.path}:\n{tail}")


def _spawn(server: Server, home: Home) -> None:
    launch = server.prepare(home)
    say(server.name, f"starting on port {home.ports[server.ports[0]]}")
    process_table.spawn(
        launch.command, home=home.path, account=home.account, environ=launch.environ
    )


def _comes_up(server: Server, home: Home) -> bool:
    """Wait until the server answers; False if its processes end or time is up.

    Just after the fork, the process does not run the server's program yet.
    """
    began, was_there = time.monotonic(), False
    while not server.answers(home.ports):
        is_there = bool(process_table.belonging_to(home.path, server.program))
        was_there = was_there or is_there
        waited = time.monotonic() - began
        has_ended = not is_there and (was_there or waited > _FORK_SECONDS)
        if has_ended or waited > _START_SECONDS:
            return False
        time.sleep(_PAUSE_SECONDS)
    return True


@dataclass
class NativeServer:
    """A native server for a supervisor, which restarts it; it outlives the supervisor."""

    server: Server
    home: Home
    how_it_ended: str = "exit status unknown"
    _process: ProcessInfo | None = None
    _launched_at: float | None = None

    @property
    def name(self) -> str:
        return self.server.name

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def log(self) -> Path:
        return self.home.path / "output.log"

    def has_ended(self) -> bool:
        if self._process is None or not process_table.lives_on(self._process, self.home.path):
            self._process = find(self.server, self.home.path)
        if self._process is None:
            return not self._is_starting()
        self._launched_at = None
        return False

    def _is_starting(self) -> bool:
        # Wrapper scripts run before the server's own program does.
        if self._launched_at is None or time.monotonic() > self._launched_at + _START_SECONDS:
            return False
        return bool(process_table.belonging_to(self.home.path, self.server.program))

    def end_leftovers(self) -> bool:
        """End leftovers of a killed server, unless another process has restarted it."""
        with locked(self.home.path.with_suffix(".lock")):
            return not is_alive(self.server, self.home.path) and _end(self.server, self.home.path)

    def start(self) -> None:
        """Launch it without waiting until it answers."""
        with locked(self.home.path.with_suffix(".lock")):
            if not is_alive(self.server, self.home.path):
                _spawn(self.server, self.home)
        self._launched_at = time.monotonic()

    def stop(self) -> None:
        """Do nothing: ``python -m infra.services stop`` ends it."""

    def log_tail(self, lines: int = _LOG_LINES) -> str:
        return "\n".join(_log(self.home.path)[-lines:])


def _stop_server(server: Server, services: Path) -> None:
    path = server_dir(services, server.name, unprivileged())
    if _end(server, path):
        say(server.name, "stopped")


def _end(server: Server, path: Path) -> bool:
    return process_table.end(
        path, server.program, stop_signal=server.stop_signal, seconds=_STOP_SECONDS
    )


def _log(home: Path) -> list[str]:
    return (home / "output.log").read_text(errors="replace").splitlines()[-_LOG_LINES:]
