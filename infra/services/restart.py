"""Restarts servers that ended.

A thread for each server, so that a quick one does not wait for a slow one. Only of servers on the
machine itself: a container engine has a policy for that.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import SubprocessError
from threading import Event, Thread

from infra.services import native, process_table
from infra.services.errors import ServiceError
from infra.services.process_table import ProcessInfo
from infra.services.progress import say
from infra.services.server import Home, Server

_LOOK_SECONDS = 0.5
_PAUSE_SECONDS = 5.0


@contextmanager
def keeping(servers: Sequence[Server], services: Path) -> Iterator[None]:
    """Start again what ends of these, where it was, as long as the block lasts."""
    done = Event()
    threads = [
        Thread(
            target=_keep, args=(server, native.home_of(server, services), done), name=server.name
        )
        for server in servers
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()


def _keep(server: Server, home: Home, done: Event) -> None:
    known: ProcessInfo | None = None
    while not done.wait(_LOOK_SECONDS):
        if known is None or not process_table.lives_on(known, home.path):
            known = native.find(server, home.path)
        if known is not None:
            continue
        say(server.name, "ended: starting it again")
        try:
            native.bring_up(server, home)
        except (ServiceError, SubprocessError, OSError) as error:
            say(server.name, f"could not be started again: {error}")
            done.wait(_PAUSE_SECONDS)
