"""How does somebody run the platform on this machine's own servers, until Ctrl-C?"""

import argparse
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Event, Thread
from time import monotonic

from infra.platform.native import Platform, environment, prepare, running
from infra.platform.processes import HOME, DidNotStart
from infra.services import ServiceError, ensure
from infra.services.ports import holder, is_free

STATE = HOME / ".state"
DIRECTORY = STATE / "platform"
NAME = "marquee"
_LOOK_SECONDS = 0.5
_ENDS, _ENDS_WITHIN_SECONDS = 5, 60.0


def main() -> int:
    """Run until told to stop; exit status 1 if something could not start or ended by itself."""
    parser = argparse.ArgumentParser(prog="make native", description=__doc__)
    parser.add_argument("--command-port", type=int, default=8001, metavar="PORT")
    parser.add_argument("--query-port", type=int, default=8000, metavar="PORT")
    arguments = parser.parse_args()
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # In a thread, for the interrupted one may hold the event's own lock.
        signal.signal(number, lambda *_: Thread(target=stopping.set).start())
    try:
        return _run((arguments.command_port, arguments.query_port), stopping)
    except (ServiceError, DidNotStart) as error:
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
    with running(environ, DIRECTORY / "logs", ports=ports) as found:
        _import_once(found)
        _say(f"\nQueries   {found.query_url}/docs/\nCommands  {found.command_url}/docs/")
        _say(f"Logs      {DIRECTORY / 'logs'}\n./manage.py uses these servers too. Ctrl-C ends it.")
        _keep_running(found, stopping)
    return 0


def _keep_running(found: Platform, stopping: Event) -> None:
    """Start again what ends; raises DidNotStart for what ends again and again."""
    ends: dict[str, list[float]] = {name: [] for name in found.processes}
    while not stopping.wait(_LOOK_SECONDS):
        now = monotonic()
        for name, process in found.processes.items():
            if not process.has_ended():
                continue
            ends[name] = [at for at in ends[name] if now - at < _ENDS_WITHIN_SECONDS] + [now]
            if len(ends[name]) > _ENDS:
                raise DidNotStart(f"{name} ends again and again:\n{process.last_words()}")
            _say(f"{name} ended and is started again; it logs to {process.log}")
            process.start()


def _import_once(found: Platform) -> None:
    """The demo catalogue, the first time."""
    done = DIRECTORY / "catalogue-imported"
    if not done.exists():
        if found.manage("import_catalogue", "demo"):
            raise DidNotStart("The demo catalogue could not be imported; see above.")
        done.touch()


def _remember(environ: Mapping[str, str], path: Path) -> None:
    path.write_text("".join(f"{name}={value}\n" for name, value in environ.items()))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
