"""Finds, starts and ends the processes that belong to a directory.

Every server is started with its directory in its environment, which children inherit. Redis and
PostgreSQL overwrite their environment, but the directory is their working directory. So a process
itself shows what it belongs to: there are no stale pid files, a killed starter loses nothing, and
no foreign process is taken for ours.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.services.errors import ServiceError
from infra.services.system_user import SystemUser

MARK = "SERVICE_HOME"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class ProcessInfo:
    pid: int
    parent: int
    program: str


def spawn(
    command: Sequence[str | Path], *, home: Path, account: SystemUser, environ: Mapping[str, str]
) -> None:
    """Start a server that outlives this process; its output is in ``output.log`` of its home."""
    log = home / "output.log"
    with log.open("ab") as output:
        account.own(log)
        subprocess.run(
            ["setsid", "--fork", *command],
            cwd=home,
            env={"PATH": _PATH, "LANG": "C.UTF-8", "HOME": str(home), MARK: str(home), **environ},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=True,
            **as_account(account),
        )


def as_account(account: SystemUser) -> dict[str, Any]:
    """Arguments of subprocess that run a program as that account."""
    if account.is_ours:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def belonging_to(home: Path, program: str) -> list[ProcessInfo]:
    """All living processes that were started for this directory by ``program``, with children."""
    return [
        process
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and (process := _read(entry, home, program))
    ]


def lives_on(process: ProcessInfo, home: Path) -> bool:
    """Whether it is still running; a hundredth of the cost of ``belonging_to``."""
    current = _read(Path("/proc", str(process.pid)), home, process.program)
    return current is not None and current.program == process.program


def end(home: Path, program: str, *, stop_signal: signal.Signals, seconds: float) -> bool:
    """End the directory's processes, at last with SIGKILL; False if none was running."""
    processes = belonging_to(home, program)
    pids = {process.pid for process in processes}
    for process in processes:
        if process.parent not in pids:
            _signal(process, stop_signal)
    if not _is_gone(home, program, seconds):
        for process in belonging_to(home, program):
            _signal(process, signal.SIGKILL)
        if not _is_gone(home, program, seconds):
            raise ServiceError(f"Processes of {home} survive SIGKILL: end them by hand.")
    return bool(processes)


def _is_gone(home: Path, program: str, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while belonging_to(home, program):
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE_SECONDS)
    return True


def _signal(process: ProcessInfo, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
        os.kill(process.pid, number)


def _read(entry: Path, home: Path, program: str) -> ProcessInfo | None:
    try:
        # "pid (program) state parent ...": the program's name may itself hold brackets.
        before, _, after = (entry / "stat").read_text().rpartition(")")
        process = ProcessInfo(
            pid=int(entry.name), parent=int(after.split()[1]), program=before.partition("(")[2]
        )
        is_ours = _is_marked(entry, home) or (process.program == program and _works_in(entry, home))
    except OSError:
        return None  # it has ended, or is another user's and so not ours
    return process if is_ours else None


def _is_marked(entry: Path, home: Path) -> bool:
    return f"{MARK}={home}".encode() in (entry / "environ").read_bytes().split(b"\0")


def _works_in(entry: Path, home: Path) -> bool:
    # The kernel adds this if the directory was deleted while the server runs.
    directory = str((entry / "cwd").readlink()).removesuffix(" (deleted)")
    return Path(directory).is_relative_to(home)
