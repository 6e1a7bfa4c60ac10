"""Platform of a kill loop, with servers, ports and directories of its own."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.platform.supervisor import Supervisor
from infra.platform.topology import Platform, environment, prepare, processes
from infra.services import ensure, native, native_servers, stop
from infra.services.addresses import VARIABLES
from infra.services.elasticsearch import QUICK_START
from infra.services.errors import DidNotStart
from infra.services.paths import services_dir
from infra.services.ports import free
from infra.services.postgres import POSTGRES
from infra.services.redis import REDIS
from infra.services.server import Server
from tests.faults.kill_loop.small_disk import SmallDisk, small_disk
from tests.faults.kill_loop.victims import processes_of
from tests.fixtures.platform import LEVEL_SECONDS, UNTHROTTLED, write_catalogue

NAME = "marquee_faults"
ON_SMALL_DISKS = (POSTGRES, REDIS)


@dataclass(frozen=True)
class Stage:
    """A platform with a catalogue, whose processes and servers are started again when they end."""

    platform: Platform
    supervisor: Supervisor
    services: Path
    logs: Path
    disks: Mapping[str, SmallDisk]
    """Disks that can be filled, by server."""


_SET_VARIABLES = ("MARQUEE_STATE_DIR", "SERVICES_ENGINE", *QUICK_START)


@contextmanager
def stage(*, movies: int) -> Iterator[Stage]:
    """Start a platform and import a catalogue; everything is removed after the block."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="marquee-faults-")))
        directory.chmod(0o755)  # the servers' own account must come through
        stack.enter_context(_of_its_own(directory))
        disks = {server.name: stack.enter_context(_disk_of(server)) for server in ON_SMALL_DISKS}
        stack.callback(stop)
        servers = ensure({})
        environ = {**environment(servers, directory, name=NAME, fresh=True), **UNTHROTTLED}
        prepare(environ, directory, fresh=True)
        logs = directory / "logs"
        platform = processes(
            environ,
            logs,
            ports=(free(), free()),
            home=directory / "processes",
            projectors=2,
            clock=directory / "clock",
        )
        supervisor = stack.enter_context(Supervisor(say=_say))
        supervisor.watch(native_servers({}))
        supervisor.bring_up(platform.members())
        catalogue = directory / "catalogue.jsonl"
        write_catalogue(catalogue, movies=movies)
        for arguments in (("import_catalogue", str(catalogue)), ("lag", "--wait", LEVEL_SECONDS)):
            if platform.manage(*arguments):
                raise DidNotStart(f"manage.py {' '.join(arguments)} failed, see above.")
        yield Stage(platform, supervisor, services_dir(), logs, disks)


def _disk_of(server: Server) -> AbstractContextManager[SmallDisk]:
    home = native.home_of(server, services_dir())
    return small_disk(home.path, home.account, partial(processes_of, server, home))


@contextmanager
def _of_its_own(directory: Path) -> Iterator[None]:
    """Start servers in this directory, whatever the environment says."""
    users = ("MARQUEE_QUERY_REDIS_URL", "MARQUEE_CACHE_REDIS_URL")
    names = [*VARIABLES.values(), *users, "MARQUEE_VAULT_URL"]
    before = {name: os.environ.pop(name) for name in names if name in os.environ}
    before_too = {name: os.environ.get(name) for name in _SET_VARIABLES}
    os.environ |= {"MARQUEE_STATE_DIR": str(directory), "SERVICES_ENGINE": "native", **QUICK_START}
    try:
        yield
    finally:
        os.environ |= before
        for name, value in before_too.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _say(subject: str, news: str) -> None:
    sys.stdout.write(f"  {subject:<14} {news}\n")
    sys.stdout.flush()
