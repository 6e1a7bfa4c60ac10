"""``python -m infra.services``: start, stop, status and env."""

import argparse
import shlex
import sys
from typing import Final

from infra.services import ServiceError, ensure, environment, status, stop

_COMMANDS: Final = {
    "start": "start the servers that do not run; install missing packages the first time",
    "stop": "stop this checkout's servers; data stays",
    "status": "each server's state and port; exit 1 unless all run",
    "env": 'start, then print the variables for other programs: eval "$(... env)"',
}
_HELP: Final = """\
Servers live in MARQUEE_STATE_DIR/services (default .state/services), on ports that are chosen once.
SERVICES_POSTGRES_PORT, SERVICES_REDIS_PORT, SERVICES_RABBITMQ_PORT and SERVICES_ELASTICSEARCH_PORT
set them. A server whose MARQUEE_*_URL is set is used as given and not started; tests with a given
RabbitMQ also need the address of its management (SERVICES_RABBITMQ_ADMIN_URL).
SERVICES_ENGINE=native or containers overrides the choice. SERVICES_ELASTICSEARCH_JVM_OPTIONS is
added to the options of Elasticsearch's JVM.
"""


def main() -> int:
    command = _parse()
    try:
        return _run(command)
    except ServiceError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _parse() -> str:
    parser = argparse.ArgumentParser(
        prog="python -m infra.services",
        description="PostgreSQL, RabbitMQ, Redis and Elasticsearch for this checkout.",
        epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, what in _COMMANDS.items():
        commands.add_parser(name, help=what)
    return str(parser.parse_args().command)


def _run(command: str) -> int:
    match command:
        case "start":
            ensure()
        case "stop":
            stop()
        case "status":
            return _print_status()
        case _:
            _print_environment()
    return 0


def _print_status() -> int:
    rows = status()
    for name, is_up, port in rows:
        sys.stdout.write(f"{name:<14} {'up' if is_up else 'down':<5} port {port}\n")
    return 0 if all(is_up for _, is_up, _ in rows) else 1


def _print_environment() -> None:
    for name, value in environment(ensure()).items():
        sys.stdout.write(f"export {name}={shlex.quote(value)}\n")


if __name__ == "__main__":
    sys.exit(main())
