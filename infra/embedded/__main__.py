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
        _say("Stopped. The next start resumes from here.")
    except (ServiceError, OSError) as error:
        _say(f"\n{error}")
        return 1
    return 0


def _run(directory: Path, ports: Ports, stopping: Event, *, steps: Sequence[SeedStep]) -> None:
    began = time.monotonic()
    supervisor = Supervisor(stopping, say=_say_news)
    with running(directory, ports, supervisor, check=lambda: _check(ports)) as (layout, platform):
        _save_environment(platform, layout, is_default=directory == DIRECTORY)
        fill(platform, layout.base, supervisor, steps)
        login = demo_account(layout.base, platform.command_url)
        _say(f"\nReady after {time.monotonic() - began:.0f} s.\n")
        _say(_welcome(ports, layout, login))
        if steps:
            _say(_SIMULATED)
        supervisor.supervise()
        _say("\nStopping ...")
    _say(f"Stopped. All data stays in {layout.base}.")


def _check(ports: Ports) -> None:
    for port in (ports.query, ports.command):
        if not is_free(port):
            raise DidNotStart(
                f"Port {port} is held by {holder(port)}.\n"
                "Choose another one and the one after it: make run PORT=9000"
            )


def _save_environment(platform: Platform, layout: Layout, *, is_default: bool) -> None:
    """Save the platform's variables for ./manage.py."""
    lines = "".join(f"{name}={value}\n" for name, value in platform.environ.items())
    (layout.base / "environment").write_text(lines)
    if is_default:
        (HOME / ".state" / "environment").write_text(lines)


def _welcome(ports: Ports, layout: Layout, login: Login) -> str:
    return f"""\
  Queries    http://localhost:{ports.query}/docs/
  Commands   http://localhost:{ports.command}/docs/
  Log in as  {login.username}, password {login.password}

Data       {layout.base}
Logs       {layout.logs}, one file per process
./manage.py works on it (lag, verify --all, events log --follow). Ctrl-C stops it."""


def _say_news(subject: str, news: str) -> None:
    _say(f"  {subject:<12} {news}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
