"""Starts and stops the servers of a checkout, native or in containers."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

from infra.services import containers, native
from infra.services.addresses import VARIABLES, Addresses, addresses
from infra.services.elasticsearch import ELASTICSEARCH
from infra.services.errors import ServiceError
from infra.services.paths import locked, services_dir
from infra.services.postgres import POSTGRES
from infra.services.rabbitmq import RABBITMQ
from infra.services.redis import REDIS, grant
from infra.services.server import Server

SERVERS = (POSTGRES, REDIS, RABBITMQ, ELASTICSEARCH)


def ensure(given: Mapping[str, str] = os.environ) -> Addresses:
    """Start servers that neither run nor are given; returns the addresses of all."""
    services = services_dir()
    ours = _not_given(given)
    with locked(services / "lock"):
        if ours:
            _engine().start(ours, services)
        all_addresses = addresses(_ports(ours, services), given)
    if given.get(VARIABLES["redis"]) and not given.get("MARQUEE_QUERY_REDIS_URL"):
        grant(all_addresses.redis)
    return all_addresses


def planned(given: Mapping[str, str] = os.environ) -> Addresses:
    """The addresses of all servers once started; starts nothing."""
    services = services_dir()
    with locked(services / "lock"):
        return addresses(_ports(_not_given(given), services), given)


def native_servers(given: Mapping[str, str] = os.environ) -> Sequence[native.NativeServer]:
    """Our native servers, for a supervisor; Docker restarts containers itself."""
    if _engine() is not native:
        return ()
    services = services_dir()
    return [
        native.NativeServer(server, native.home_of(server, services))
        for server in _not_given(given)
    ]


def stop() -> None:
    """End every server of this checkout; data stays."""
    services = services_dir()
    with locked(services / "lock"):
        native.stop(SERVERS, services)
        if containers.is_available():
            containers.stop(SERVERS, services)


def status() -> list[tuple[str, bool, int]]:
    """Each server's name, whether it answers, and its first port."""
    services = services_dir()
    with locked(services / "lock"):
        ports = _ports(SERVERS, services)
        return [
            (server.name, _engine().is_up(server, services), ports[server.ports[0]])
            for server in SERVERS
        ]


def _not_given(given: Mapping[str, str]) -> Sequence[Server]:
    return [server for server in SERVERS if not given.get(VARIABLES[server.name])]


def _ports(servers: Sequence[Server], services: Path) -> dict[str, int]:
    engine = _engine()
    return {
        name: port for server in servers for name, port in engine.ports_of(server, services).items()
    }


def _engine() -> ModuleType:
    """The module that runs servers: containers if Docker is available, else native."""
    requested = os.environ.get("SERVICES_ENGINE", "")
    match requested or ("containers" if containers.is_available() else "native"):
        case "containers":
            return containers
        case "native":
            return native
        case other:
            raise ServiceError(f"SERVICES_ENGINE is {other!r}: set it to native or containers.")
