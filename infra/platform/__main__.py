"""``make native``: the platform on this machine's servers, until Ctrl-C."""

import argparse
import sys
from threading import Event

from infra.platform.demo_catalogue import CORRECT, IMPORT, catalogue_version
from infra.platform.processes import HOME
from infra.platform.supervisor import Stopped, Supervisor, stop_on_signals
from infra.platform.topology import Platform, environment, last_started, prepare, processes
from infra.services import ServiceError, ensure, native_servers
from infra.services.errors import DidNotStart
from infra.services.ports import require_free
from infra.services.progress import show, show_progress

DIRECTORY = HOME / ".state" / "platform"
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
        show(str(error))
        return 1


def _run(ports: tuple[int, int], stopping: Event) -> int:
    require_free(ports, "Choose others: make native QUERY_PORT=8010 COMMAND_PORT=8011")
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    environ = environment(ensure(), DIRECTORY, name=NAME, fresh=False)
    prepare(environ, DIRECTORY, fresh=False)
    platform = processes(
        environ,
        DIRECTORY / "logs",
        ports=ports,
        home=DIRECTORY / "processes",
        projectors=2,
        clock=DIRECTORY / "clock",
    )
    platform.save_environment(last_started(), name=f"{DIRECTORY} (make native)")
    for member in platform.members():
        member.process.end_leftovers()
    with Supervisor(stopping, say=show_progress) as supervisor:
        supervisor.watch(native_servers())
        supervisor.bring_up(platform.members())
        _import_once(platform)
        show(f"\nQueries   {platform.query_url}/docs/\nCommands  {platform.command_url}/docs/")
        show(f"Logs      {DIRECTORY / 'logs'}\n./manage.py works on it. Ctrl-C ends it.")
        supervisor.supervise()
    return 0


def _import_once(platform: Platform) -> None:
    """Import the demo catalogue at the first start, and correct it when it has another version."""
    imported, version = DIRECTORY / "catalogue-imported", catalogue_version()
    if imported.exists() and imported.read_text() == version:
        return
    if platform.manage(*(CORRECT if imported.exists() else IMPORT)):
        raise DidNotStart("The demo catalogue could not be imported; see above.")
    imported.write_text(version)


if __name__ == "__main__":
    sys.exit(main())
