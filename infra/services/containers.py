"""Runs the servers in Docker containers."""

import functools
import hashlib
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from infra.services.errors import DidNotStart, ServiceError
from infra.services.ports import LOOPBACK, reserve
from infra.services.progress import say
from infra.services.server import Server

_START_SECONDS = 180


@functools.cache
def is_available() -> bool:
    """Whether Docker is installed and its daemon answers."""
    try:
        return subprocess.run(["docker", "info"], capture_output=True, timeout=20).returncode == 0  # noqa: PLW1510 - the code is the answer
    except (OSError, subprocess.TimeoutExpired):
        return False


def start(servers: Sequence[Server], services: Path) -> None:
    """Start servers that do not run, concurrently; Docker fetches the images at first."""
    # One after another: all ports are in one file.
    ports = {server.name: ports_of(server, services) for server in servers}
    with ThreadPoolExecutor(max_workers=len(servers) or 1) as threads:
        list(threads.map(lambda server: _bring_up(server, services, ports[server.name]), servers))


def stop(servers: Sequence[Server], services: Path) -> None:
    """Remove our containers; their volumes stay, as native servers keep their directories."""
    for server in servers:
        if is_alive(server, services):
            _docker("rm", "--force", _name(server, services))
            say(server.name, "stopped")


def is_up(server: Server, services: Path) -> bool:
    return is_alive(server, services) and server.answers(ports_of(server, services))


def is_alive(server: Server, services: Path) -> bool:
    names = _docker("ps", "--filter", "status=running", "--format", "{{.Names}}").split()
    return _name(server, services) in names


def ports_of(server: Server, services: Path) -> dict[str, int]:
    return reserve(services / "ports.json", server.ports, in_use=lambda: is_alive(server, services))


def _bring_up(server: Server, services: Path, ports: dict[str, int]) -> None:
    if is_alive(server, services) and server.answers(ports):
        return
    name = _name(server, services)
    if not is_alive(server, services):
        _docker("rm", "--force", name)
        say(server.name, f"starting {server.container.image}")
        _docker("run", "--detach", "--name", name, *_options(server, name, ports))
    deadline = time.monotonic() + _START_SECONDS
    while not server.answers(ports):
        if time.monotonic() > deadline:
            raise DidNotStart(f"{server.name} did not start; see `docker logs {name}`.")
        time.sleep(0.2)
    say(server.name, "up")


def _options(server: Server, name: str, ports: dict[str, int]) -> list[str]:
    container = server.container
    published = [f"{LOOPBACK}:{ports[port]}:{inner}" for port, inner in container.ports.items()]
    return [
        *(part for each in published for part in ("--publish", each)),
        *(part for key, value in container.environ.items() for part in ("--env", f"{key}={value}")),
        *(part for at, to in container.mounts.items() for part in ("--volume", f"{at}:{to}:ro")),
        *("--volume", f"{name}:{container.volume}"),
        *(container.image, *container.arguments),
    ]


def _name(server: Server, services: Path) -> str:
    checkout = hashlib.sha256(str(services).encode()).hexdigest()[:8]
    return f"marquee-{checkout}-{server.name}"


def _docker(*arguments: str) -> str:
    completed = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    if completed.returncode and arguments[0] != "rm":
        raise ServiceError(f"docker {arguments[0]} failed: {completed.stderr.strip()}")
    return completed.stdout
