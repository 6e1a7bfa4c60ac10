"""Port registry: chooses free ports, records them, and holds them while their server is down.

Ports are chosen once and recorded, so that addresses are known before any server runs. They lie
below the range from which the kernel takes ports for outgoing connections.

A port looks free until its server listens, and again while that server is down. So choosing a port
also claims it: no other process and no other server of this process gets it.
"""

import contextlib
import itertools
import os
import random
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from infra.services.errors import PortTaken

LOOPBACK = "127.0.0.1"
PORTS = range(20_000, 32_000)
_LISTENS = "0A"
_DYING_SECONDS = 1.0

_claims: dict[int, int] = {}
"""File descriptors by port; open socket objects would raise ResourceWarning at exit."""


def reserve(record: Path, names: Sequence[str], *, in_use: Callable[[], bool]) -> dict[str, int]:
    """The recorded port of each name; a new one where none is recorded or it was lost.

    ``in_use`` tells whether our own server holds the ports. It is called after a port was found
    taken, since the server may be starting at that moment.
    """
    known = _load(record)
    for port in known.values():
        _claim(port)  # the others' as well: no server may get another server's port
    ports = dict(known)
    for name in names:
        ports[name] = _choose(name, ports, in_use=in_use)
    if ports != known:
        record.parent.mkdir(parents=True, exist_ok=True)
        fresh = record.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(ports))
        fresh.rename(record)
    return {name: ports[name] for name in names}


def free(*, run: int = 1) -> int:
    """Claim ``run`` consecutive free ports; returns the first. Raises PortTaken."""
    firsts = list(PORTS[: len(PORTS) - run + 1])
    random.SystemRandom().shuffle(firsts)
    for first in firsts:
        if _take(range(first, first + run)):
            return first
    raise PortTaken(f"No port from {PORTS[0]} to {PORTS[-1]} is free: end processes that use them.")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Servers set this too: connections in TIME_WAIT are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def require_free(ports: Sequence[int], advice: str) -> None:
    """Raise PortTaken, with the advice, if a port is taken."""
    for port in ports:
        if not is_free(port):
            raise PortTaken(f"Port {port} is held by {holder(port)}.\n{advice}")


def accepts(port: int, host: str = LOOPBACK) -> bool:
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


def holder(port: int) -> str:
    """Describe the process that listens on a port."""
    inodes = _listening_inodes(port)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and inodes & _socket_inodes(entry):
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            return f"process {entry.name} ({command})"
    return "a process of another user"


def _choose(name: str, known: dict[str, int], *, in_use: Callable[[], bool]) -> int:
    variable = f"SERVICES_{name.upper().replace('-', '_')}_PORT"
    if requested := os.environ.get(variable):
        port = int(requested)
        if not (is_free(port) or (known.get(name) == port and _is_ours(port, in_use))):
            raise PortTaken(f"{variable}: port {port} for {name} is held by {holder(port)}.")
        _claim(port)
        return port
    recorded = known.get(name)
    if recorded and _is_ours(recorded, in_use):
        return recorded
    return free()


def _is_ours(port: int, in_use: Callable[[], bool]) -> bool:
    """Whether it is free or our server's; waits a moment for a killed server to free it."""
    deadline = time.monotonic() + _DYING_SECONDS
    while not (is_free(port) or in_use()):
        if time.monotonic() > deadline:
            return False
        time.sleep(_DYING_SECONDS / 20)
    return True


def _take(ports: Sequence[int]) -> bool:
    """Claim all ports, or none."""
    claimed = list(itertools.takewhile(_claim, ports))
    if len(claimed) == len(ports) and all(is_free(port) for port in ports):
        return True
    for port in claimed:
        os.close(_claims.pop(port))
    return False


def _claim(port: int) -> bool:
    """Claim a port until this process ends; False if another process has claimed it.

    The claim is a socket name in Linux's abstract namespace: it ends with its process, and each
    network namespace has its own, as for ports.
    """
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0marquee-port-{port}")
    except OSError:
        claim.close()
        return False
    _claims[port] = claim.detach()
    return True


def _load(record: Path) -> dict[str, int]:
    try:
        return msgspec.json.decode(record.read_bytes(), type=dict[str, int])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}  # an unreadable record counts as missing


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:] if Path(table).exists() else ():
            fields = line.split()
            if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    return inodes


def _socket_inodes(process: Path) -> set[str]:
    inodes = set()
    with contextlib.suppress(OSError):  # it ended, or access is denied
        for link in (process / "fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                inodes.add(str(link.readlink()))
    return inodes
