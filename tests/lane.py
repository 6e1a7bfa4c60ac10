"""Runs the test runs of one lane, one after another.

A process has one role, and fault tests leave killed and emptied servers behind, so each needs a
run of its own.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.services.elasticsearch import QUICK_START

ROOT = Path(__file__).resolve().parents[1]
PATHS = {
    "command": ["tests/command_api"],
    "query": ["tests/query_api"],
    "faults": ["tests/faults"],
    "machine": ["tests/infra", "tests/browser", "tests/contracts"],
}
PATHS["ops"] = ["tests", *(f"--ignore={path}" for paths in PATHS.values() for path in paths)]
ROLES = {"command": "command", "query": "query"}
"""Lanes not named here run in the role ``ops``, which may do everything."""

_TIDY_SECONDS = 120


def run(names: Sequence[str], arguments: Sequence[str]) -> list[str]:
    """Run them one after another; return those that failed or found no tests."""
    return [name for name in names if _pytest(name, arguments)]


def accept_interrupts() -> None:
    """Take SIGINT again where a shell's ``&`` made it ignored: children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Interrupt a running process and wait until it has cleaned up."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_TIDY_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _pytest(name: str, arguments: Sequence[str]) -> int:
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *PATHS[name], *arguments],
        cwd=ROOT,
        env=os.environ | {"MARQUEE_ROLE": ROLES.get(name, "ops")},
        start_new_session=True,  # Ctrl-C reaches it from here only
    )
    try:
        return process.wait()
    finally:
        end(process)


def main(arguments: Sequence[str]) -> int:
    """``python -m tests.lane NAME,NAME... [PYTEST'S ARGUMENTS]``: 1 if any of them failed."""
    names, *others = arguments
    os.environ |= QUICK_START
    failed = run(names.split(","), others)
    sys.stdout.write(f"Failed: {', '.join(failed)}\n" if failed else "")
    return 1 if failed else 0


if __name__ == "__main__":
    accept_interrupts()
    sys.exit(main(sys.argv[1:]))
