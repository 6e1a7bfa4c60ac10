"""How does the whole platform run on real servers, from nothing to ready?

Several platforms can share the servers: each has databases, a namespace and keys of its own.
"""

import os
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, run

from infra.platform.processes import HOME, DidNotStart, Process, api, manage
from infra.services import Addresses, at_database, create_database, drop_database
from infra.services.ports import free

READY_SECONDS = 120.0


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


@contextmanager
def platform(servers: Addresses, directory: Path, *, name: str, fresh: bool) -> Iterator[Platform]:
    """The platform ``name``, ready to answer; its processes end with the block.

    ``fresh`` begins with an empty log, whatever an earlier one of that name held. Raises
    DidNotStart with the last words of the process that did not.
    """
    directory.mkdir(parents=True, exist_ok=True)
    environ = environment(servers, directory, name=name, fresh=fresh)
    prepare(environ, directory, fresh=fresh)
    with running(environ, directory / "logs", ports=(free(), free())) as found:
        yield found


@contextmanager
def running(
    environ: Mapping[str, str], logs: Path, *, ports: tuple[int, int]
) -> Iterator[Platform]:
    """The processes on what is prepared, ready to answer, until the end of the block."""
    found = _platform(environ, logs, ports)
    with ExitStack() as stack:
        for process in found.processes.values():
            stack.callback(process.stop)
            process.start()
        _wait_until_ready(found)
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


def prepare(environ: Mapping[str, str], directory: Path, *, fresh: bool) -> None:
    """Databases, tables and keys; running it again changes nothing."""
    for url in databases(environ):
        name = url.rpartition("/")[2]
        if fresh:
            drop_database(url, name)
        create_database(url, name)
    for arguments in (
        ("migrate", "--verbosity", "0"),
        ("migrate", "--verbosity", "0", "--database", "vault"),
        ("keys", "create"),
    ):
        _run(arguments, environ, directory)


def forget(environ: Mapping[str, str]) -> None:
    """Drop the databases of a platform that nobody needs any more."""
    for url in databases(environ):
        drop_database(url, url.rpartition("/")[2])


def databases(environ: Mapping[str, str]) -> Sequence[str]:
    """The URLs of the log and of the vault."""
    return environ["MARQUEE_DATABASE_URL"], environ["MARQUEE_VAULT_URL"]


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


def _platform(environ: Mapping[str, str], logs: Path, ports: tuple[int, int]) -> Platform:
    commands = {
        "relay": ("ops", manage("relay")),
        "projector": ("ops", manage("project")),
        "command": ("command", api(ports[0])),
        "query": ("query", api(ports[1])),
    }
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
            )
            for name, (role, command) in commands.items()
        },
    )


def _wait_until_ready(found: Platform) -> None:
    deadline = time.monotonic() + READY_SECONDS
    for url in (found.command_url, found.query_url):
        while not _is_ready(url):
            for process in found.processes.values():
                if process.has_ended():
                    raise DidNotStart(f"{process.name} ended at once:\n{process.last_words()}")
            if time.monotonic() > deadline:
                raise DidNotStart(f"{url} is not ready after {READY_SECONDS:.0f} s.")
            time.sleep(0.1)


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health/ready", timeout=5):  # noqa: S310 - our own
            return True
    except (urllib.error.URLError, OSError):
        return False
