"""Command lines of the platform's processes, and a process that can be started and stopped."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Any

from infra.services.process_table import MARK, as_account, end
from infra.services.system_user import SystemUser, current

HOME = Path(__file__).resolve().parents[2]
"""The checkout."""

_STOP_SECONDS = 15.0
# Leftover processes got their stop signal when their starter died, so they are killed soon.
_LEFTOVER_SECONDS = 5.0
_SETPRIV = "/usr/bin/setpriv"

ADMITTED = (
    *("--http", "1"),  # proxies speak it; HTTP/2 would need limits of streams and frames
    *("--http1-buffer-size", "16384"),  # request line and headers together; larger ones get 431
    *("--http1-header-read-timeout", "10000"),  # milliseconds until they must have arrived
)
"""The server's limits for requests, applied before our code; the same as in compose."""


def manage(*arguments: str) -> list[str]:
    """The command line of a management command."""
    return [sys.executable, str(HOME / "manage.py"), *arguments]


def run_manage(
    environ: Mapping[str, str], *arguments: str, **options: Any
) -> "subprocess.CompletedProcess[str]":
    """Run a management command to its end, by default in the foreground."""
    return subprocess.run(  # noqa: PLW1510 - callers decide
        manage(*arguments),
        env={**os.environ, **environ, "MARQUEE_ROLE": "ops"},
        cwd=HOME,
        text=True,
        **options,
    )


def api(port: int, *, threads: int = 4) -> list[str]:
    """The command line of an API; MARQUEE_ROLE selects which.

    With the default backlog and backpressure the 1,025th connection would hang all others.
    """
    return [
        str(Path(sys.executable).parent / "granian"),
        *("--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--no-ws"),
        *("--workers", "1", "--blocking-threads", str(threads)),
        *("--backlog", "4096", "--backpressure", "4096", "--no-access-log"),
        *ADMITTED,
        "infra.wsgi:application",
    ]


def worker(clock: Path) -> list[str]:
    """The command line of a Celery worker with embedded beat; ``clock`` is the schedule file."""
    return [
        *(sys.executable, "-m", "celery", "-A", "infra.celery", "worker", "--pool", "solo"),
        *("--beat", "--schedule", str(clock), "--loglevel", "warning"),
    ]


@dataclass
class Process:
    """A process of the platform: command, environment, log and lifetime."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    log: Path
    home: Path | None = None
    """Set in the process's environment, so that it is found after its starter was killed."""
    program: str = ""
    """The kernel's name for a server whose working directory is its home: servers overwrite their
    environment."""
    account: SystemUser = field(default_factory=current)
    stop_signal: signal.Signals = signal.SIGTERM
    popen: "Popen[bytes] | None" = None

    @property
    def pid(self) -> int:
        """The process id; 0 while it is not running."""
        return self.popen.pid if self.popen else 0

    def start(self) -> None:
        """Start or restart it; its output is appended to its log.

        It gets its stop signal when the thread that started it ends, even if killed.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        mark = {MARK: str(self.home)} if self.home else {}
        with self.log.open("ab") as log:
            self.popen = Popen(
                [_SETPRIV, "--pdeathsig", self.stop_signal.name.removeprefix("SIG"), *self.command],
                cwd=self.home if self.program else HOME,
                env={**os.environ, "PYTHONPATH": str(HOME), **self.environ, **mark},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **as_account(self.account),
            )

    def end_leftovers(self) -> bool:
        """End leftover processes of this home; whether there were any."""
        if self.home is None:
            return False
        return end(self.home, self.program, stop_signal=self.stop_signal, seconds=_LEFTOVER_SECONDS)

    @property
    def status(self) -> int:
        """The exit status of the last run; negative for the signal that ended it."""
        return self.popen.returncode or 0 if self.popen else 0

    @property
    def how_it_ended(self) -> str:
        """The exit status in words."""
        if self.status >= 0:
            return f"exit status {self.status}"
        return f"by {signal.Signals(-self.status).name}"

    def has_ended(self) -> bool:
        """Whether it is not running (any more)."""
        return self.popen is None or self.popen.poll() is not None

    def stop(self, number: signal.Signals | None = None) -> None:
        """End it: with its stop signal or a given one; with SIGKILL its children, too."""
        if self.popen is None:
            return
        if self.popen.poll() is None:
            self._signal(number or self.stop_signal)
            try:
                self.popen.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
                self.popen.wait()
        self.popen = None

    def _signal(self, number: signal.Signals) -> None:
        assert self.popen is not None  # noqa: S101 - stop() checked
        if number == signal.SIGKILL:
            os.killpg(self.popen.pid, number)  # it leads a session of its own
        else:
            self.popen.send_signal(number)

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
