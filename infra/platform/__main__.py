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
    """Run until a stop is requested; exit status 1 if something could not start."""
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
    _save_environment(environ, STATE / "environment")
    platform = processes(
        environ,
        DIRECTORY / "logs",
        ports=ports,
        home=DIRECTORY / "processes",
        projectors=2,
        clock=DIRECTORY / "clock",
    )
    for member in platform.members():
        member.process.end_leftovers()
    with Supervisor(stopping, say=_say_news) as supervisor:
        supervisor.watch(native_servers())
        supervisor.bring_up(platform.members())
        _import_once(platform)
        _say(f"\nQueries   {platform.query_url}/docs/\nCommands  {platform.command_url}/docs/")
        _say(f"Logs      {DIRECTORY / 'logs'}\n./manage.py uses these servers too. Ctrl-C ends it.")
        supervisor.supervise()
    return 0


def _import_once(platform: Platform) -> None:
    """Import the demo catalogue at the first start."""
    imported = DIRECTORY / "catalogue-imported"
    if not imported.exists():
        if platform.manage("import_catalogue", "demo"):
            raise DidNotStart("The demo catalogue could not be imported; see above.")
        imported.touch()


def _save_environment(environ: Mapping[str, str], path: Path) -> None:
    path.write_text("".join(f"{name}={value}\n" for name, value in environ.items()))


def _say_news(subject: str, news: str) -> None:
    _say(f"  {subject:<12} {news}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
