#!/usr/bin/env python3
"""Which command of the platform is run, in which role?

Run by a Python that lacks the packages, it goes on with the checkout's own environment. Servers
that the environment does not name are those that this checkout started last (.state/environment).
"""

import os
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parent
OWN_PYTHON = HOME / ".venv" / "bin" / "python"
STARTED = HOME / ".state" / "environment"


def adopt_own_environment() -> None:
    """Go on as the checkout's own Python where this one is another."""
    if OWN_PYTHON.exists() and Path(sys.prefix) != OWN_PYTHON.parent.parent:
        os.execv(OWN_PYTHON, [str(OWN_PYTHON), *sys.argv])  # noqa: S606 - ourselves, no shell


def adopt_started_servers() -> None:
    """Use the servers that were started for this checkout, unless some are named."""
    if "MARQUEE_DATABASE_URL" in os.environ or not STARTED.exists():
        return
    for line in STARTED.read_text().splitlines():
        name, _, value = line.partition("=")
        os.environ.setdefault(name, value)


def run() -> None:
    """Do what was asked; what lies outside (servers, files, variables) is said in one line."""
    # Not above: the Python that begins may lack these packages.
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - see above

    from infra.config import BadConfig  # noqa: PLC0415 - see above
    from infra.http.problem_details import AWAY  # noqa: PLC0415 - see above

    try:
        execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        sys.exit(130)
    except (*AWAY, BadConfig, OSError) as fault:
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"{type(fault).__name__}: {str(fault).strip()}")


if __name__ == "__main__":
    adopt_own_environment()
    adopt_started_servers()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infra.settings")
    run()
