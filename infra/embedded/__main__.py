"""``make run``: the embedded platform, until Ctrl-C."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Event

from infra.embedded.demo_account import Login, demo_account
from infra.embedded.layout import Layout
from infra.embedded.seed import STEPS, SeedStep, fill
from infra.embedded.startup import DIRECTORY, Ports, running
from infra.platform.processes import HOME
from infra.platform.supervisor import Stopped, Supervisor, stop_on_signals
from infra.platform.topology import Platform
from infra.services import ServiceError
from infra.services.errors import DidNotStart
from infra.services.ports import holder, is_free

QUERY_PORT = 8000
_HIGHEST_PORT = 65_535
_SIMULATED = "The movies are real. The community is simulated: its ratings were given by nobody."


def main() -> int:
    """Run until told to stop; exit status 1 if that was not possible."""
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=DIRECTORY, metavar="DIR", help="where everything is kept"
    )
    parser.add_argument(
        "--port", type=int, default=QUERY_PORT, help="of the queries; commands have the next one"
    )
    parser.add_argument("--empty", action="store_true", help="no movies and no community")
    arguments = parser.parse_args()
    if not 1 <= arguments.port < _HIGHEST_PORT:
        parser.error(f"--port is a number from 1 to {_HIGHEST_PORT - 1}")
    stopping = Event()
    stop_on_signals(stopping)
    try:
        ports = Ports(arguments.port, arguments.port + 1)
        _run(arguments.data, ports, stopping, steps=() if arguments.empty else STEPS)
    except Stopped:
        _say("Stopped. What was done until then stays.")
    except (ServiceError, OSError) as error:
        _say(f"\n{error}")
        return 1
    return 0


def _run(directory: Path, ports: Ports, stopping: Event, *, steps: Sequence[SeedStep]) -> None:
    began = time.monotonic()
    supervisor = Supervisor(stopping, say=_tell)
    with running(directory, ports, supervisor, check=lambda: _check(ports)) as (place, found):
        _remember(found, place, is_usual=directory == DIRECTORY)
        fill(found, place.base, supervisor, steps)
        login = demo_account(place.base, found.command_url)
        _say(f"\nReady after {time.monotonic() - began:.0f} s.\n")
        _say(_welcome(ports, place, login))
        if steps:
            _say(_SIMULATED)
        supervisor.keep_up()
        _say("\nStopping ...")
    _say(f"Stopped. Everything is kept in {place.base}.")


def _check(ports: Ports) -> None:
    for port in (ports.query, ports.command):
        if not is_free(port):
            raise DidNotStart(
                f"Port {port} is held by {holder(port)}.\n"
                "Choose another one and the one after it: make run PORT=9000"
            )


def _remember(found: Platform, place: Layout, *, is_usual: bool) -> None:
    """Let ./manage.py find these servers."""
    lines = "".join(f"{name}={value}\n" for name, value in found.environ.items())
    (place.base / "environment").write_text(lines)
    if is_usual:
        (HOME / ".state" / "environment").write_text(lines)


def _welcome(ports: Ports, place: Layout, login: Login) -> str:
    return f"""\
  Queries    http://localhost:{ports.query}/docs/
  Commands   http://localhost:{ports.command}/docs/
  Log in as  {login.username}, password {login.password}

Data       {place.base}
Logs       {place.logs}, a file a process
./manage.py works on it (lag, verify --all, events log --follow). Ctrl-C stops it."""


def _tell(subject: str, news: str) -> None:
    _say(f"  {subject:<12} {news}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
