"""Fixtures that run ``make run`` as a process."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import httpx
import pytest

from infra.config import PREFIX
from infra.embedded.engines import engines
from infra.embedded.layout import layout_of
from infra.embedded.startup import Ports, planned
from infra.platform.processes import HOME, Process
from infra.services import process_table
from infra.services.ports import LOOPBACK, free
from tests.fixtures.waiting import until

PATIENCE_SECONDS = 180
READY = "Ready after"


@dataclass
class Run:
    """One ``make run`` on a directory."""

    directory: Path
    port: int
    screen: Path
    popen: "subprocess.Popen[bytes]"

    @property
    def query_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def command_url(self) -> str:
        return f"http://127.0.0.1:{self.port + 1}"

    @property
    def says(self) -> str:
        return self.screen.read_text()

    @property
    def login(self) -> dict[str, str]:
        login: dict[str, str] = json.loads((self.directory / "demo-account.json").read_bytes())
        return login

    def wait(self) -> "Run":
        """Wait until the platform is ready."""
        return self.wait_for(READY)

    def wait_for(self, words: str) -> "Run":
        """Wait until the output contains a text."""
        until(lambda: words in self.says or self.popen.poll() is not None)
        assert words in self.says, self.says
        return self

    def end(self, number: signal.Signals) -> int:
        self.popen.send_signal(number)
        return self.popen.wait(PATIENCE_SECONDS)

    def log_in(self) -> httpx.Response:
        credentials = {"login": self.login["username"], "password": self.login["password"]}
        return httpx.post(f"{self.command_url}/v1/tokens", timeout=30, json=credentials)


def leftovers(directory: Path) -> list[process_table.ProcessInfo]:
    """Live processes that belong to a directory."""
    layout = layout_of(directory)
    members = [*engines(layout), *planned(layout, Ports(1, 2)).members()]
    return [
        process
        for member in members
        if isinstance(member.process, Process) and member.process.home
        for process in process_table.belonging_to(member.process.home, member.process.program)
    ]


def sockets(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_socket()]


@pytest.fixture(scope="module")
def open_path() -> Iterator[Path]:
    """A directory that the servers' account can read; pytest's own is private to root."""
    path = Path(mkdtemp(prefix="marquee-embedded-"))
    path.chmod(0o755)
    yield path
    rmtree(path)


@pytest.fixture(scope="module")
def data(open_path) -> Path:
    """A directory that the tests of a module share, one after the other."""
    return Path(open_path, "run")


@pytest.fixture
def listener() -> Iterator[int]:
    """A port that is taken: this process listens on it."""
    with socket.socket() as held:
        held.bind((LOOPBACK, free()))
        held.listen()
        yield held.getsockname()[1]


@pytest.fixture(scope="session")
def embedded_engines() -> None:
    """The fixture's name marks tests that start their own servers (tests/fixtures/isolation.py)."""


@pytest.fixture(scope="module")
def start(data, open_path, embedded_engines) -> Iterator[Callable[..., Run]]:
    """Start ``make run``; processes that still run are ended after the module."""
    runs: list[Run] = []

    def start(directory: Path = data, port: int = 0, *, is_empty: bool = True) -> Run:
        port = port or free(run=2)
        screen = open_path / f"screen-{len(runs)}"
        environ = {name: value for name, value in os.environ.items() if PREFIX not in name}
        environ["MARQUEE_STATE_DIR"] = str(open_path / "state")
        command = [sys.executable, "-m", "infra.embedded", *(["--empty"] if is_empty else [])]
        with screen.open("wb") as output:
            popen = subprocess.Popen(
                [*command, "--data", str(directory), "--port", str(port)],
                cwd=HOME,
                env=environ,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        runs.append(Run(directory, port, screen, popen))
        return runs[-1]

    yield start
    for run in runs:
        if run.popen.poll() is None:
            run.end(signal.SIGTERM)
    assert leftovers(data) == []


@pytest.fixture(scope="module")
def running(start) -> Callable[[], Run]:
    """The platform on the module's directory, started if it does not run.

    Tests share it, because a start takes seven CPU seconds. They may stop it.
    """
    runs: list[Run] = []

    def running() -> Run:
        runs[:] = [run for run in runs if run.popen.poll() is None] or [start()]
        return runs[0].wait()

    return running
