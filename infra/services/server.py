"""Description of a server: its program, ports, packages, launch and health check."""

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra.services.system_user import SystemUser


@dataclass(frozen=True, kw_only=True)
class Home:
    """A server's place: its directory, its ports and the account that runs it."""

    path: Path
    ports: Mapping[str, int]
    account: SystemUser


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What to run, in which environment."""

    command: Sequence[str | Path]
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Container:
    """The same server from its official image."""

    image: str
    ports: Mapping[str, int]
    volume: str
    environ: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[Path, str] = field(default_factory=dict)
    arguments: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Server:
    name: str
    program: str
    """The main process by the kernel's name for it; without it the server is down."""
    ports: Sequence[str]
    packages: Callable[[], Sequence[str]]
    """Debian packages that are missing."""
    prepare: Callable[[Home], Launch]
    """Write configuration and, the first time, data; say how to launch it. Safe to repeat."""
    answers: Callable[[Mapping[str, int]], bool]
    container: Container
    polite: signal.Signals = signal.SIGTERM
