"""Victims: every process and server, how each is found and killed."""

import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

from infra.platform.processes import Process
from infra.platform.supervisor import IsReady, answers
from infra.platform.topology import Platform
from infra.services import native, process_table
from infra.services.elasticsearch import ELASTICSEARCH
from infra.services.postgres import POSTGRES
from infra.services.rabbitmq import RABBITMQ
from infra.services.redis import REDIS
from infra.services.server import Home, Server

SERVERS = (POSTGRES, REDIS, RABBITMQ, ELASTICSEARCH)


@dataclass(frozen=True)
class Victim:
    """A process or server that may be killed at any moment."""

    name: str
    find: Callable[[], Sequence[int]]
    """The processes to kill; none when it does not run."""
    is_back: Callable[[], bool]

    def kill(self) -> bool:
        """Kill its processes; return whether there were any."""
        pids = self.find()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return bool(pids)


def victims(platform: Platform, services: Path, database: str, random: Random) -> Sequence[Victim]:
    """Every process of ours and every server."""
    urls = {"command": platform.command_url, "query": platform.query_url}
    process_victims = [
        _process(process, answers(f"{urls[name]}/health/live") if name in urls else None)
        for name, process in platform.processes.items()
    ]
    process_victims.append(_clock_of(platform.processes["worker"]))
    # An API's workers are processes of their own: losing one must not break the API.
    process_victims += [
        _worker_of(platform.processes[name], answers(f"{url}/health/live"), random)
        for name, url in urls.items()
    ]
    homes = {server.name: native.home_of(server, services) for server in SERVERS}
    servers = [_server(server, homes[server.name]) for server in SERVERS]
    return [*process_victims, *servers, _backend(homes[POSTGRES.name], database, random)]


def _process(process: Process, is_live: IsReady | None) -> Victim:
    return Victim(
        process.name,
        lambda: [] if process.has_ended() else [process.pid],
        lambda: not process.has_ended() and (is_live is None or is_live()),
    )


def _clock_of(process: Process) -> Victim:
    """Celery's beat, which is a child of its worker."""

    def find() -> Sequence[int]:
        return [] if process.has_ended() else children_of(process.pid)

    return Victim(f"{process.name}'s clock", find, lambda: bool(find()))


def _worker_of(process: Process, is_live: IsReady, random: Random) -> Victim:
    def find() -> Sequence[int]:
        children = [] if process.has_ended() else children_of(process.pid)
        return [random.choice(children)] if children else []

    return Victim(f"{process.name}'s worker", find, is_live)


def _server(server: Server, home: Home) -> Victim:
    def find() -> Sequence[int]:
        processes = _of(server, home)
        pids = {each.pid for each in processes}
        if server is POSTGRES:  # the others of its processes are its children, which must notice
            return [each.pid for each in processes if each.parent not in pids]
        return sorted(pids)

    def is_back() -> bool:
        return native.is_alive(server, home.path) and server.answers(home.ports)

    return Victim(server.name, find, is_back)


def _backend(home: Home, database: str, random: Random) -> Victim:
    """One session's process of PostgreSQL: the server then ends all of them and recovers."""

    def find() -> Sequence[int]:
        sessions = [each.pid for each in _of(POSTGRES, home) if database in _title(each.pid)]
        return [random.choice(sessions)] if sessions else []

    return Victim("postgres's session", find, lambda: POSTGRES.answers(home.ports))


def _of(server: Server, home: Home) -> list[process_table.ProcessInfo]:
    return [
        each
        for each in process_table.belonging_to(home.path, server.program)
        if each.program == server.program
    ]


def _title(pid: int) -> str:
    with suppress(OSError):
        return Path("/proc", str(pid), "cmdline").read_text(errors="replace")
    return ""


def children_of(pid: int) -> list[int]:
    """The processes that a process started."""
    pids = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit():
                _, _, after = (entry / "stat").read_text().rpartition(")")
                if int(after.split()[1]) == pid:
                    pids.append(int(entry.name))
    return pids
