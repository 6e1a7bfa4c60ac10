"""Description of a server: its program, ports, packages, launch and health check."""

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra.services.system_user import SystemUser


@dataclass(frozen=True, kw_only=True)
class Home:
    """A server's directory and ports, and the account that runs it."""

    path: Path
    ports: Mapping[str, int]
    account: SystemUser


@dataclass(frozen=True, kw_only=True)
class Launch:
    """A server's command line and environment."""

    command: Sequence[str | Path]
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Container:
    """A server's official image and how to run it."""

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
    """The kernel's name of the main process; without that process the server is down."""
    ports: Sequence[str]
    packages: Callable[[], Sequence[str]]
    """Debian packages that are missing."""
    prepare: Callable[[Home], Launch]
    """Write the configuration and, at first, the data; returns the launch. Repeatable."""
    answers: Callable[[Mapping[str, int]], bool]
    container: Container
    stop_signal: signal.Signals = signal.SIGTERM
