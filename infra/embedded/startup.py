"""Starts an embedded platform on a directory, from empty to ready."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from infra.embedded.data_directory import owned, wipe
from infra.embedded.engines import engines, environment
from infra.embedded.layout import Layout, layout_of
from infra.embedded.postgres_upgrade import upgrade
from infra.platform.processes import HOME
from infra.platform.supervisor import Supervisor
from infra.platform.topology import Platform, prepare, processes
from infra.services.ports import free

DIRECTORY = HOME / ".state" / "run"


@dataclass(frozen=True)
class Ports:
    """Ports of the two APIs."""

    query: int
    command: int


@contextmanager
def running(
    directory: Path,
    ports: Ports,
    supervisor: Supervisor,
    *,
    fresh: bool = False,
    check: Callable[[], None] = lambda: None,
) -> Iterator[tuple[Layout, Platform]]:
    """Run the platform of a directory until the end of the block; yields once it is ready.

    ``fresh`` deletes the directory's data; ``check`` runs once leftover processes have ended.
    Raises ServiceError, DidNotStart, Stopped.
    """
    layout = layout_of(directory)
    with owned(layout.base):
        planned_platform = planned(layout, ports)
        _end_leftovers(planned_platform, layout)
        check()
        if fresh:
            wipe(layout.base)
        with supervisor:
            upgrade(layout, supervisor)
            supervisor.bring_up(engines(layout))
            _prepare_once(planned_platform, layout)
            supervisor.bring_up(planned_platform.members())
            yield layout, planned_platform


def _end_leftovers(planned_platform: Platform, layout: Layout) -> None:
    """End processes that a killed supervisor left: first those that use the engines."""
    for members in (planned_platform.members(), engines(layout)):
        with ThreadPoolExecutor() as threads:
            list(threads.map(lambda member: member.process.end_leftovers(), members))


def _prepare_once(planned_platform: Platform, layout: Layout) -> None:
    """Make tables and keys, unless this version of the platform has done so."""
    stamp, version = layout.home("postgres") / "prepared", _migrations()
    if layout.keys.exists() and stamp.exists() and stamp.read_text() == version:
        return
    prepare(planned_platform.environ, layout.base, fresh=False)
    stamp.write_text(version)


def _migrations() -> str:
    """Digest of the names of all migrations."""
    names = sorted(str(path.relative_to(HOME)) for path in HOME.glob("*/**/migrations/*.py"))
    return sha256("\n".join(names).encode()).hexdigest()


def planned(layout: Layout, ports: Ports) -> Platform:
    """The processes of the platform, not yet started."""
    return processes(
        environment(layout, query_url=f"http://localhost:{ports.query}"),
        layout.logs,
        ports=(ports.command, ports.query),
        home=layout.base / "processes",
        clock=layout.base / "clock",
    )


@contextmanager
def platform(directory: Path, *, fresh: bool) -> Iterator[Platform]:
    """Run the platform of a directory on free ports, without progress messages."""
    query = free(run=2)
    with running(directory, Ports(query, query + 1), Supervisor(), fresh=fresh) as (_, started):
        yield started
