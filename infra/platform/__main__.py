"""``make native``: the platform on this machine's servers, until Ctrl-C."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Event

from infra.platform.processes import HOME
from infra.platform.supervisor import Stopped, Supervisor, stop_on_signals
from infra.platform.topology import Platform, environment, prepare, processes
from infra.services import ServiceError, ensure, native_servers
from infra.services.errors import DidNotStart
from infra.services.ports import holder, is_free

STATE = HOME / ".state"
DIRECTORY = STATE / "platform"
NAME = "marquee"


def main() -> int:
    """Run until told to stop; exit status 1 if something could not start or ended by itself."""
    parser = argparse.ArgumentParser(prog="make native", description=__doc__)
    parser.add_argument("--command-port", type=int, default=8001, metavar="PORT")
    parser.add_argument("--query-port", type=int, default=8000, metavar="PORT")
    arguments = parser.parse_args()
    stopping = Event()
    stop_on_signals(stopping)
    try:
        return _run((arguments.command_port, arguments.query_port), stopping)
    except Stopped:
        return 0
    except ServiceError as error:
        _say(str(error))
        return 1


def _run(ports: tuple[int, int], stopping: Event) -> int:
    for port in ports:
        if not is_free(port):
            raise DidNotStart(
                f"Port {port} is held by {holder(port)}; choose others:"
                " make native QUERY_PORT=8010 COMMAND_PORT=8011"
            )
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    environ = environment(ensure(), DIRECTORY, name=NAME, fresh=False)
    prepare(environ, DIRECTORY, fresh=False)
    _remember(environ, STATE / "environment")
    found = processes(
        environ,
        DIRECTORY / "logs",
        ports=ports,
        home=DIRECTORY / "processes",
        projectors=2,
        clock=DIRECTORY / "clock",
    )
    for member in found.members():
        member.process.end_leftovers()
    with Supervisor(stopping, say=_tell) as supervisor:
        supervisor.watch(native_servers())
        supervisor.bring_up(found.members())
        _import_once(found)
        _say(f"\nQueries   {found.query_url}/docs/\nCommands  {found.command_url}/docs/")
        _say(f"Logs      {DIRECTORY / 'logs'}\n./manage.py uses these servers too. Ctrl-C ends it.")
        supervisor.keep_up()
    return 0


def _import_once(found: Platform) -> None:
    """The demo catalogue, the first time."""
    done = DIRECTORY / "catalogue-imported"
    if not done.exists():
        if found.manage("import_catalogue", "demo"):
            raise DidNotStart("The demo catalogue could not be imported; see above.")
        done.touch()


def _remember(environ: Mapping[str, str], path: Path) -> None:
    path.write_text("".join(f"{name}={value}\n" for name, value in environ.items()))


def _tell(subject: str, news: str) -> None:
    _say(f"  {subject:<12} {news}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
