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
from infra.platform.processes import HOME
from infra.platform.supervisor import Supervisor
from infra.platform.topology import Platform, prepare, processes
from infra.services.ports import free

DIRECTORY = HOME / ".state" / "run"


@dataclass(frozen=True)
class Ports:
    """Where the two APIs answer."""

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
    """The platform on a directory, ready to answer, until the end of the block.

    ``fresh`` throws away what the directory held; ``check`` is asked once nothing of ours runs.
    Raises ServiceError, DidNotStart, Stopped.
    """
    place = layout_of(directory)
    with owned(place.base):
        found = planned(place, ports)
        _end_leftovers(found, place)
        check()
        if fresh:
            wipe(place.base)
        with supervisor:
            supervisor.bring_up(engines(place))
            _prepare_once(found, place)
            supervisor.bring_up(found.members())
            yield place, found


def _end_leftovers(found: Platform, place: Layout) -> None:
    """End what a killed supervisor left: first what uses the engines, then these."""
    for members in (found.members(), engines(place)):
        with ThreadPoolExecutor() as threads:
            list(threads.map(lambda member: member.process.end_leftovers(), members))


def _prepare_once(found: Platform, place: Layout) -> None:
    """Tables and keys, unless this version of the platform has made them here."""
    stamp, version = place.home("postgres") / "prepared", _migrations()
    if place.keys.exists() and stamp.exists() and stamp.read_text() == version:
        return
    prepare(found.environ, place.base, fresh=False)
    stamp.write_text(version)


def _migrations() -> str:
    """Which migrations there are, as one word."""
    names = sorted(str(path.relative_to(HOME)) for path in HOME.glob("*/**/migrations/*.py"))
    return sha256("\n".join(names).encode()).hexdigest()


def planned(place: Layout, ports: Ports) -> Platform:
    """What will run there."""
    return processes(
        environment(place, query_url=f"http://localhost:{ports.query}"),
        place.logs,
        ports=(ports.command, ports.query),
        home=place.base / "processes",
        clock=place.base / "clock",
    )


@contextmanager
def platform(directory: Path, *, fresh: bool) -> Iterator[Platform]:
    """The same for those who need no more than the platform, on free ports."""
    query = free(run=2)
    with running(directory, Ports(query, query + 1), Supervisor(), fresh=fresh) as (_, found):
        yield found
