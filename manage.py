#!/usr/bin/env python3
"""Management commands of the platform.

Re-executes itself with the Python of the checkout's .venv. Works on the platform that this checkout
started last (.state/environment) and names it on stderr, unless the environment names a database.
Other variables of the environment come before the platform's, and are named, too.
"""

import os
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parent
VENV_PYTHON = HOME / ".venv" / "bin" / "python"
LAST_STARTED = Path(os.environ.get("MARQUEE_STATE_DIR") or HOME / ".state") / "environment"
WITHOUT_PLATFORM = {"check", "help", "makemigrations", "reference", "spectacular", "version"}
"""Commands that neither read nor change a platform."""


def use_venv_python() -> None:
    """Re-execute with the Python of .venv, if this is another one."""
    if VENV_PYTHON.exists() and Path(sys.prefix) != VENV_PYTHON.parent.parent:
        os.execv(VENV_PYTHON, [str(VENV_PYTHON), *sys.argv])  # noqa: S606 - re-executes itself, no shell


def use_last_started_platform() -> None:
    """Use the platform started last in this checkout, unless the environment names a database."""
    if "MARQUEE_DATABASE_URL" in os.environ or not LAST_STARTED.exists():
        return
    platform = f"as saved in {LAST_STARTED}"
    others = []
    for line in LAST_STARTED.read_text().splitlines():
        if line.startswith("#"):
            platform = line.lstrip("# ")
            continue
        name, _, value = line.partition("=")
        if os.environ.setdefault(name, value) != value:
            others.append(name)
    if needs_platform(sys.argv[1:]):
        but = f", but the environment's own {', '.join(others)}" if others else ""
        sys.stderr.write(f"Platform: {platform}{but}\n")


def needs_platform(arguments: list[str]) -> bool:
    """Whether a command line reads or changes a platform."""
    if {"-h", "--help", "--version"}.intersection(arguments):
        return False
    return bool(arguments) and arguments[0] not in WITHOUT_PLATFORM


def run() -> None:
    """Run the command; print faults of servers, files and settings in one line."""
    # Imported here: the first Python may lack these packages.
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - see above

    from infra.clients import is_store_failure  # noqa: PLC0415 - see above
    from infra.config import BadConfig  # noqa: PLC0415 - see above

    try:
        execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as fault:
        is_outside = isinstance(fault, BadConfig | OSError) or is_store_failure(fault)
        if "--traceback" in sys.argv or not is_outside:
            raise
        sys.exit(f"{type(fault).__name__}: {str(fault).strip()}")


if __name__ == "__main__":
    use_venv_python()
    use_last_started_platform()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infra.settings")
    run()
