"""Runs all tests in two lanes, side by side.

The fault tests kill and empty servers, so their lane has servers of its own. If servers
are given, there is one set of them and so one lane.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from infra.services.elasticsearch import QUICK_START
from tests.lane import ROOT, accept_interrupts, end, run

MAIN_LANE = ["command", "query", "ops"]
FAULT_LANE = ["faults", "machine"]
"""Divided so that both take about as long: on two cores 758 s and 779 s."""


def main(arguments: Sequence[str]) -> int:
    """Run all; exit status 1 if any run failed, or found no tests."""
    os.environ |= QUICK_START
    if "MARQUEE_REDIS_URL" in os.environ:
        failed = run([*MAIN_LANE, *FAULT_LANE], arguments)
        status = 0
    else:
        # Before both lanes, or both would install what is missing.
        _run_module("tests.servers", environ=os.environ)
        with _beside(arguments) as lane:
            failed = run(MAIN_LANE, arguments)
            status = lane.wait()
    sys.stdout.write(f"Failed: {', '.join(failed)}\n" if failed else "")
    return 1 if failed or status else 0


@contextmanager
def _beside(arguments: Sequence[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the second lane beside the block; print its output at the end."""
    state = Path(os.environ.get("MARQUEE_STATE_DIR") or ROOT / ".state").absolute() / "beside"
    environ = {**os.environ, "MARQUEE_STATE_DIR": str(state)}
    names = ",".join(FAULT_LANE)
    with TemporaryFile() as output:
        lane = subprocess.Popen(
            [sys.executable, "-m", "tests.lane", names, *arguments, "-p", "no:cacheprovider"],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield lane
        finally:
            end(lane)
            _run_module("infra.services", "stop", environ=environ)
            output.seek(0)
            sys.stdout.write("Output of the second lane (faults, machine):\n")
            sys.stdout.flush()
            sys.stdout.buffer.write(output.read())
            sys.stdout.flush()


def _run_module(*arguments: str, environ: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", *arguments]
    subprocess.run(command, cwd=ROOT, env=dict(environ), check=False)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    accept_interrupts()
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main(sys.argv[1:]))
