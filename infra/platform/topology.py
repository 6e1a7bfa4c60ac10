"""Topology: which processes make up the platform, and what they need prepared."""

import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, run
from urllib.parse import urlsplit

from infra.platform.processes import HOME, Process, api, manage, worker
from infra.platform.supervisor import Member, Supervisor, answers
from infra.services import (
    Addresses,
    DidNotStart,
    at_database,
    create_database,
    drop_database,
)
from infra.services.ports import free

FINDING = ("search", "suggestions", "similarity")
"""Models whose builders work as much as all the others': with a process of their own an import has
both cores. Measured: 100,000 ratings on 2 cores at 0.50 of what pgbench inserts, 0.35 with one."""


@dataclass(frozen=True)
class Platform:
    """The platform's processes and where it answers."""

    command_url: str
    query_url: str
    environ: Mapping[str, str]
    processes: Mapping[str, Process]

    def manage(self, *arguments: str) -> int:
        """Run a management command in the foreground; its exit status."""
        return run(
            manage(*arguments),
            env={**os.environ, **self.environ, "MARQUEE_ROLE": "ops"},
            cwd=HOME,
            check=False,
        ).returncode

    def members(self) -> Sequence[Member]:
        """The processes as a supervisor takes them."""
        ready = {"command": self.command_url, "query": self.query_url}
        return [
            Member(process, answers(f"{ready[name]}/health/ready") if name in ready else None)
            for name, process in self.processes.items()
        ]


@contextmanager
def running(
    environ: Mapping[str, str], logs: Path, *, ports: tuple[int, int], projectors: int = 1
) -> Iterator[Platform]:
    """The processes on what is prepared, ready to answer, until the end of the block."""
    found = processes(environ, logs, ports=ports, projectors=projectors)
    with Supervisor() as supervisor:
        supervisor.bring_up(found.members())
        yield found


def processes(
    environ: Mapping[str, str],
    logs: Path,
    *,
    ports: tuple[int, int],
    home: Path | None = None,
    projectors: int = 1,
    clock: Path | None = None,
) -> Platform:
    """What runs beside the engines, not yet started. Without a bus nothing has to be relayed.

    With a ``home`` it is found again after whoever runs it was killed. One projector takes 300 MB,
    two are faster on two cores. With a ``clock``, the file of what is due when, one worker does
    what is done on a clock.
    """
    shares = [()] if projectors == 1 else [("--except", *FINDING), ("--only", *FINDING)]
    names = ("projector", "projector-finding")
    commands = {
        "relay": ("ops", manage("relay")),
        **{n: ("ops", manage("project", *share)) for n, share in zip(names, shares, strict=False)},
        "command": ("command", api(ports[0])),
        "query": ("query", api(ports[1])),
    }
    if clock:
        commands["worker"] = ("ops", worker(clock))
    if not {**os.environ, **environ}.get("MARQUEE_BUS_URL"):
        del commands["relay"]
    return Platform(
        command_url=f"http://127.0.0.1:{ports[0]}",
        query_url=f"http://127.0.0.1:{ports[1]}",
        environ=environ,
        processes={
            name: Process(
                name=name,
                command=command,
                environ={**environ, "MARQUEE_ROLE": role},
                log=logs / f"{name}.log",
                home=home / name if home else None,
            )
            for name, (role, command) in commands.items()
        },
    )


def prepare(environ: Mapping[str, str], directory: Path, *, fresh: bool) -> None:
    """Databases, tables and keys; running it again changes nothing."""
    for url in databases(environ):
        if fresh:
            drop_database(url, name_of(url))
        create_database(url, name_of(url))
    for arguments in (
        ("migrate", "--verbosity", "0"),
        ("migrate", "--verbosity", "0", "--database", "vault"),
        ("keys", "create"),
    ):
        _run(arguments, environ, directory)


def forget(environ: Mapping[str, str]) -> None:
    """Drop the databases of a platform that nobody needs any more."""
    for url in databases(environ):
        drop_database(url, name_of(url))


def databases(environ: Mapping[str, str]) -> Sequence[str]:
    """The URLs of the log and of the vault."""
    return environ["MARQUEE_DATABASE_URL"], environ["MARQUEE_VAULT_URL"]


def name_of(url: str) -> str:
    """The database that a URL leads to."""
    return urlsplit(url).path.lstrip("/")


def _run(arguments: Sequence[str], environ: Mapping[str, str], directory: Path) -> None:
    with (directory / "prepare.log").open("ab") as log:
        done = run(
            manage(*arguments),
            env={**os.environ, **environ, "MARQUEE_ROLE": "ops"},
            cwd=HOME,
            stdin=DEVNULL,
            stdout=log,
            stderr=log,
            check=False,
        )
    if done.returncode:
        raise DidNotStart(f"manage.py {' '.join(arguments)} failed: see {log.name}")


@contextmanager
def platform(servers: Addresses, directory: Path, *, name: str, fresh: bool) -> Iterator[Platform]:
    """The platform ``name``, ready to answer; its processes end with the block.

    ``fresh`` begins with an empty log, whatever an earlier one of that name held. Raises
    DidNotStart with the last words of the process that did not.
    """
    directory.mkdir(parents=True, exist_ok=True)
    environ = environment(servers, directory, name=name, fresh=fresh)
    prepare(environ, directory, fresh=fresh)
    with running(environ, directory / "logs", ports=(free(), free()), projectors=2) as found:
        yield found


def environment(
    servers: Addresses, directory: Path, *, name: str, fresh: bool
) -> Mapping[str, str]:
    """The variables that make a process one of the platform ``name``."""
    prefix = name.replace("_", "-")
    return {
        "MARQUEE_DATABASE_URL": at_database(servers.postgres, name),
        "MARQUEE_VAULT_URL": at_database(servers.postgres, f"{name}_vault"),
        "MARQUEE_BUS_URL": servers.bus,
        "MARQUEE_REDIS_URL": servers.redis,
        "MARQUEE_QUERY_REDIS_URL": servers.query_redis,
        "MARQUEE_ELASTICSEARCH_URL": servers.elasticsearch,
        # A new log must not meet the queues and indexes of an old one.
        "MARQUEE_NAMESPACE": f"{prefix}-{secrets.token_hex(4)}" if fresh else prefix,
        "MARQUEE_KEYS_DIR": str(directory.resolve() / "keys"),
    }
