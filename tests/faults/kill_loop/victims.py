"""Victims: every process and server, how each is found and killed, and servers that refuse."""

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Protocol

from infra.platform.processes import Process
from infra.platform.supervisor import IsReady, answers
from infra.platform.topology import Platform
from infra.services import native, postgres, process_table, redis
from infra.services.elasticsearch import ELASTICSEARCH
from infra.services.postgres import POSTGRES
from infra.services.rabbitmq import RABBITMQ
from infra.services.redis import REDIS
from infra.services.server import Home, Server
from tests.faults.kill_loop.refusals import full_disk, refusing_postgres, refusing_redis
from tests.faults.kill_loop.small_disk import SmallDisk

SERVERS = (POSTGRES, REDIS, RABBITMQ, ELASTICSEARCH)


class Victim(Protocol):
    """What the loop disturbs at any moment."""

    @property
    def name(self) -> str: ...
    def kill(self) -> bool:
        """Kill it, or let it refuse to work; return whether there was anything to disturb."""

    def is_back(self) -> bool:
        """Whether it works again."""


@dataclass(frozen=True)
class KilledProcess:
    """A process or server that may be killed."""

    name: str
    find: Callable[[], Sequence[int]]
    """The processes to kill; none when it does not run."""
    answers: Callable[[], bool]

    def is_back(self) -> bool:
        """Whether it runs again."""
        return self.answers()

    def kill(self) -> bool:
        """Kill its processes; return whether there were any."""
        pids = self.find()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return bool(pids)


def victims(
    platform: Platform,
    services: Path,
    database: str,
    random: Random,
    disks: Mapping[str, SmallDisk],
) -> Sequence[Victim]:
    """Every process of ours and every server; and the servers that may refuse writes."""
    urls = {"command": platform.command_url, "query": platform.query_url}
    process_victims: list[Victim] = [
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
    backend = _backend(homes[POSTGRES.name], database, random)
    return [*process_victims, *servers, backend, *_refusing(homes, disks, random)]


def _refusing(
    homes: Mapping[str, Home], disks: Mapping[str, SmallDisk], random: Random
) -> Sequence[Victim]:
    by_name = {server.name: server for server in SERVERS}
    return [
        refusing_redis(redis.url(homes[REDIS.name].ports), random),
        refusing_postgres(postgres.url(homes[POSTGRES.name].ports)),
        *(
            full_disk(name, disk, partial(by_name[name].answers, homes[name].ports))
            for name, disk in disks.items()
        ),
    ]


def processes_of(server: Server, home: Home) -> Sequence[int]:
    """The process ids of a server."""
    return [each.pid for each in _of(server, home)]


def _process(process: Process, is_live: IsReady | None) -> KilledProcess:
    return KilledProcess(
        process.name,
        lambda: [] if process.has_ended() else [process.pid],
        lambda: not process.has_ended() and (is_live is None or is_live()),
    )


def _clock_of(process: Process) -> KilledProcess:
    """Celery's beat, which is a child of its worker."""

    def find() -> Sequence[int]:
        return [] if process.has_ended() else children_of(process.pid)

    return KilledProcess(f"{process.name}'s clock", find, lambda: bool(find()))


def _worker_of(process: Process, is_live: IsReady, random: Random) -> KilledProcess:
    def find() -> Sequence[int]:
        children = [] if process.has_ended() else children_of(process.pid)
        return [random.choice(children)] if children else []

    return KilledProcess(f"{process.name}'s worker", find, is_live)


def _server(server: Server, home: Home) -> KilledProcess:
    def find() -> Sequence[int]:
        processes = _of(server, home)
        pids = {each.pid for each in processes}
        if server is POSTGRES:  # the others of its processes are its children, which must notice
            return [each.pid for each in processes if each.parent not in pids]
        return sorted(pids)

    def is_back() -> bool:
        return native.is_alive(server, home.path) and server.answers(home.ports)

    return KilledProcess(server.name, find, is_back)


def _backend(home: Home, database: str, random: Random) -> KilledProcess:
    """One session's process of PostgreSQL: the server then ends all of them and recovers."""

    def find() -> Sequence[int]:
        sessions = [each.pid for each in _of(POSTGRES, home) if database in _title(each.pid)]
        return [random.choice(sessions)] if sessions else []

    return KilledProcess("postgres's session", find, lambda: POSTGRES.answers(home.ports))


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
