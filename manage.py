#!/usr/bin/env python3
"""Management commands of the platform.

Re-executes itself with the Python of the checkout's .venv. Uses the servers that this checkout
started last (.state/environment), unless the environment names others.
"""

import os
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parent
VENV_PYTHON = HOME / ".venv" / "bin" / "python"
SERVERS = HOME / ".state" / "environment"


def use_venv_python() -> None:
    """Re-execute with the Python of .venv, if this is another one."""
    if VENV_PYTHON.exists() and Path(sys.prefix) != VENV_PYTHON.parent.parent:
        os.execv(VENV_PYTHON, [str(VENV_PYTHON), *sys.argv])  # noqa: S606 - re-executes itself, no shell


def use_started_servers() -> None:
    """Use the servers that were started for this checkout, unless the environment names some."""
    if "MARQUEE_DATABASE_URL" in os.environ or not SERVERS.exists():
        return
    for line in SERVERS.read_text().splitlines():
        name, _, value = line.partition("=")
        os.environ.setdefault(name, value)


def run() -> None:
    """Run the command; print faults of servers, files and settings in one line."""
    # Imported here: the first Python may lack these packages.
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - see above

    from infra.clients import AWAY  # noqa: PLC0415 - see above
    from infra.config import BadConfig  # noqa: PLC0415 - see above

    try:
        execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        sys.exit(130)
    except (*AWAY, BadConfig, OSError) as fault:
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"{type(fault).__name__}: {str(fault).strip()}")


if __name__ == "__main__":
    use_venv_python()
    use_started_servers()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infra.settings")
    run()
