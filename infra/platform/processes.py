"""Command lines of the platform's processes, and a process that can be started and stopped."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

from infra.services.process_table import MARK, as_account, end
from infra.services.system_user import SystemUser, current

HOME = Path(__file__).resolve().parents[2]
"""The checkout."""

_STOP_SECONDS = 15.0
# Who is left over was asked to end when its starter died, and may be killed at any moment.
_LEFTOVER_SECONDS = 5.0
_SETPRIV = "/usr/bin/setpriv"

ADMITTED = (
    *("--http", "1"),  # proxies speak it; of HTTP/2 there would be streams and frames to bound
    *("--http1-buffer-size", "16384"),  # request line and headers together; beyond: 431
    *("--http1-header-read-timeout", "10000"),  # milliseconds until they must be there
)
"""What a server takes of a request before anything of ours sees it. The same in compose."""


def manage(*arguments: str) -> list[str]:
    """The command line of a management command."""
    return [sys.executable, str(HOME / "manage.py"), *arguments]


def api(port: int, *, threads: int = 4) -> list[str]:
    """The command line of one of the two APIs; which one is said by its role.

    Without the limits of backlog and backpressure the 1,025th connection would hang all others.
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
    """The command line of a Celery worker that is its own beat; what is due is kept in a file."""
    return [
        *(sys.executable, "-m", "celery", "-A", "infra.celery", "worker", "--pool", "solo"),
        *("--beat", "--schedule", str(clock), "--loglevel", "warning"),
    ]


@dataclass
class Process:
    """One running process of ours and where it logs."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    log: Path
    home: Path | None = None
    """Written on the process, so that it is found again when whoever started it was killed."""
    program: str = ""
    """The kernel's name for a server that works in its home; such write over what is on them."""
    account: SystemUser = field(default_factory=current)
    polite: signal.Signals = signal.SIGTERM
    popen: "Popen[bytes] | None" = None

    @property
    def pid(self) -> int:
        """Its process id; 0 while it is not running."""
        return self.popen.pid if self.popen else 0

    def start(self) -> None:
        """Start it (again); what it says is added to its log.

        It ends politely with the thread that starts it, even one that is killed.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        mark = {MARK: str(self.home)} if self.home else {}
        with self.log.open("ab") as log:
            self.popen = Popen(
                [_SETPRIV, "--pdeathsig", self.polite.name.removeprefix("SIG"), *self.command],
                cwd=self.home if self.program else HOME,
                env={**os.environ, "PYTHONPATH": str(HOME), **self.environ, **mark},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **as_account(self.account),
            )

    def end_leftovers(self) -> bool:
        """End what an earlier one of this home left; whether there was anything."""
        if self.home is None:
            return False
        return end(self.home, self.program, polite=self.polite, seconds=_LEFTOVER_SECONDS)

    @property
    def status(self) -> int:
        """The exit status of its last life; negative for the signal that ended it."""
        return self.popen.returncode or 0 if self.popen else 0

    @property
    def how_it_ended(self) -> str:
        """Its exit status in words."""
        if self.status >= 0:
            return f"exit status {self.status}"
        return f"by {signal.Signals(-self.status).name}"

    def has_ended(self) -> bool:
        """Whether it is not running (any more)."""
        return self.popen is None or self.popen.poll() is not None

    def stop(self, number: signal.Signals | None = None) -> None:
        """End it and what it started: politely, or with SIGKILL at once."""
        if self.popen is None:
            return
        if self.popen.poll() is None:
            self._signal(number or self.polite)
            try:
                self.popen.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
                self.popen.wait()
        self.popen = None

    def _signal(self, number: signal.Signals) -> None:
        assert self.popen is not None  # noqa: S101 - stop() looked
        if number == signal.SIGKILL:
            os.killpg(self.popen.pid, number)  # it leads a session of its own
        else:
            self.popen.send_signal(number)

    def last_words(self, lines: int = 15) -> str:
        """The end of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
