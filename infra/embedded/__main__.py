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
from infra.platform.supervisor import Stopped, Supervisor, stop_on_signals
from infra.platform.topology import last_started
from infra.services import ServiceError
from infra.services.ports import require_free
from infra.services.progress import show, show_progress

QUERY_PORT = 8000
_HIGHEST_PORT = 65_535
_SIMULATED = "The movies are real. The community is simulated: its ratings are made up."


def main() -> int:
    """Run until a stop is requested; exit status 1 if it could not start."""
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=DIRECTORY, metavar="DIR", help="the data directory"
    )
    parser.add_argument(
        "--port",
        type=int,
        default=QUERY_PORT,
        help="port of the query API; the command API has the next one",
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
        show("Stopped. The next start resumes from here.")
    except (ServiceError, OSError) as error:
        show(f"\n{error}")
        return 1
    return 0


def _run(directory: Path, ports: Ports, stopping: Event, *, steps: Sequence[SeedStep]) -> None:
    began = time.monotonic()
    supervisor = Supervisor(stopping, say=show_progress)

    def require_ports() -> None:
        advice = "Choose another one and the one after it: make run PORT=9000"
        require_free((ports.query, ports.command), advice)

    with running(directory, ports, supervisor, check=require_ports) as (layout, platform):
        for path in (layout.base / "environment", last_started()):
            platform.save_environment(path, name=f"{layout.base} (make run)")
        fill(platform, layout.base, supervisor, steps)
        login = demo_account(layout.base, platform.command_url)
        show(f"\nReady after {time.monotonic() - began:.0f} s.\n")
        show(_welcome(ports, layout, login))
        if steps:
            show(_SIMULATED)
        supervisor.supervise()
        show("\nStopping ...")
    show(f"Stopped. All data stays in {layout.base}.")


def _welcome(ports: Ports, layout: Layout, login: Login) -> str:
    return f"""\
  Queries    http://localhost:{ports.query}/docs/
  Commands   http://localhost:{ports.command}/docs/
  Log in as  {login.username}, password {login.password}

Data       {layout.base}
Logs       {layout.logs}, one file per process
./manage.py works on it (lag, verify --all, events log --follow) until another one is started.
Ctrl-C stops it."""


if __name__ == "__main__":
    sys.exit(main())
