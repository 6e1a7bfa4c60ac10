"""Topology: the platform's processes, their environment, databases and keys."""

import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL
from types import MappingProxyType
from urllib.parse import urlsplit

from infra.platform.processes import Process, api, manage, run_manage, worker
from infra.platform.supervisor import Member, Supervisor, answers
from infra.services import (
    Addresses,
    DidNotStart,
    at_database,
    create_database,
    drop_database,
)
from infra.services.paths import state_dir
from infra.services.ports import free

HEAVY_MODELS = ("search", "suggestions", "similarity")
"""Models whose builders take as much CPU as all others: with a projector of their own, an import
uses both cores. Measured: 100,000 ratings on 2 cores at 0.50 of pgbench's inserts, 0.35 with
one."""
_NO_METRICS: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True)
class Platform:
    """The platform's processes and the URLs of its APIs."""

    command_url: str
    query_url: str
    environ: Mapping[str, str]
    processes: Mapping[str, Process]
    metrics_ports: Mapping[str, int] = field(default_factory=dict)
    """Port of a process's metrics, by its name; the others serve none."""

    def manage(self, *arguments: str) -> int:
        """Run a management command in the foreground; its exit status."""
        return run_manage(self.environ, *arguments).returncode

    def save_environment(self, path: Path, *, name: str) -> None:
        """Save the platform's name and variables for ./manage.py, which prints the name."""
        lines = [f"# {name}", *(f"{key}={value}" for key, value in self.environ.items())]
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text("".join(f"{line}\n" for line in lines))
        part.replace(path)

    def members(self) -> Sequence[Member]:
        """The processes as members of a supervisor."""
        ready = {"command": self.command_url, "query": self.query_url}
        return [
            Member(process, answers(f"{ready[name]}/health/ready") if name in ready else None)
            for name, process in self.processes.items()
        ]


def last_started() -> Path:
    """The file from which ./manage.py reads the variables of the platform started last."""
    return state_dir() / "environment"


@contextmanager
def running(
    environ: Mapping[str, str],
    logs: Path,
    *,
    ports: tuple[int, int],
    projectors: int = 1,
    metrics_ports: Mapping[str, int] = _NO_METRICS,
) -> Iterator[Platform]:
    """Run the processes until the end of the block; yields once they are ready."""
    started = processes(
        environ, logs, ports=ports, projectors=projectors, metrics_ports=metrics_ports
    )
    with Supervisor() as supervisor:
        supervisor.bring_up(started.members())
        yield started


def processes(
    environ: Mapping[str, str],
    logs: Path,
    *,
    ports: tuple[int, int],
    home: Path | None = None,
    projectors: int = 1,
    clock: Path | None = None,
    metrics_ports: Mapping[str, int] = _NO_METRICS,
) -> Platform:
    """The platform's processes, not yet started; without a bus there is no relay.

    With a ``home``, leftovers of a killed starter are found. One projector takes 300 MB; two are
    faster on two cores. With a ``clock``, beat's schedule file, a Celery worker runs the periodic
    tasks.
    """
    shares = [()] if projectors == 1 else [("--except", *HEAVY_MODELS), ("--only", *HEAVY_MODELS)]
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
                environ={
                    **environ,
                    "MARQUEE_ROLE": role,
                    # Inherited, it would be one port for all of them.
                    "MARQUEE_METRICS_PORT": str(metrics_ports.get(name, 0)),
                },
                log=logs / f"{name}.log",
                home=home / name if home else None,
            )
            for name, (role, command) in commands.items()
        },
        metrics_ports=metrics_ports,
    )


def prepare(environ: Mapping[str, str], directory: Path, *, fresh: bool) -> None:
    """Create databases, tables and keys that are missing; ``fresh`` drops the databases first."""
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
    """Drop the databases of a platform."""
    for url in databases(environ):
        drop_database(url, name_of(url))


def databases(environ: Mapping[str, str]) -> Sequence[str]:
    """The URLs of the log and of the vault."""
    return environ["MARQUEE_DATABASE_URL"], environ["MARQUEE_VAULT_URL"]


def name_of(url: str) -> str:
    """The name of a URL's database."""
    return urlsplit(url).path.lstrip("/")


def _run(arguments: Sequence[str], environ: Mapping[str, str], directory: Path) -> None:
    with (directory / "prepare.log").open("ab") as log:
        completed = run_manage(environ, *arguments, stdin=DEVNULL, stdout=log, stderr=log)
    if completed.returncode:
        raise DidNotStart(f"manage.py {' '.join(arguments)} failed: see {log.name}")


@contextmanager
def platform(servers: Addresses, directory: Path, *, name: str, fresh: bool) -> Iterator[Platform]:
    """Run the platform ``name`` until the end of the block; yields once it is ready.

    ``fresh`` deletes the event log of an earlier run. Raises DidNotStart with the last log lines
    of the process that failed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    environ = environment(servers, directory, name=name, fresh=fresh)
    prepare(environ, directory, fresh=fresh)
    with running(
        environ,
        directory / "logs",
        ports=(free(), free()),
        projectors=2,
        metrics_ports={"command": free()},
    ) as started:
        yield started


def environment(
    servers: Addresses, directory: Path, *, name: str, fresh: bool
) -> Mapping[str, str]:
    """The environment of the processes of the platform ``name``."""
    prefix = name.replace("_", "-")
    return {
        "MARQUEE_DATABASE_URL": at_database(servers.postgres, name),
        "MARQUEE_VAULT_URL": at_database(servers.postgres, f"{name}_vault"),
        "MARQUEE_BUS_URL": servers.bus,
        "MARQUEE_REDIS_URL": servers.redis,
        "MARQUEE_QUERY_REDIS_URL": servers.query_redis,
        "MARQUEE_CACHE_REDIS_URL": servers.cache_redis,
        "MARQUEE_ELASTICSEARCH_URL": servers.elasticsearch,
        # A new event log must not use the queues and indexes of an old one.
        "MARQUEE_NAMESPACE": f"{prefix}-{secrets.token_hex(4)}" if fresh else prefix,
        "MARQUEE_KEYS_DIR": str(directory.resolve() / "keys"),
    }
