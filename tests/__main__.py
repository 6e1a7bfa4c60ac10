"""Runs all tests in two lanes, side by side.

Faults kill and empty servers: they have servers of their own, and so a lane of their own beside the
others. Servers that are given are one set, and then there is one lane.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from tests.lane import ROOT, end, run

MAIN = ["command", "query", "ops"]
BESIDE = ["faults", "machine"]
"""Divided so that both take about as long: on two cores 1,240 s and 1,280 s."""


def main(arguments: Sequence[str]) -> int:
    """Run all; exit status 1 if any run failed, or found no tests."""
    if "MARQUEE_REDIS_URL" in os.environ:
        failed = run([*MAIN, *BESIDE], arguments)
        status = 0
    else:
        _services("start", os.environ)  # or both lanes would install what is missing
        with _beside(arguments) as lane:
            failed = run(MAIN, arguments)
            status = lane.wait()
    sys.stdout.write(f"Failed: {', '.join(failed)}\n" if failed else "")
    return 1 if failed or status else 0


@contextmanager
def _beside(arguments: Sequence[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """The lane beside; what it says is shown in the end, however that comes."""
    state = Path(os.environ.get("MARQUEE_STATE_DIR") or ROOT / ".state").absolute() / "beside"
    environ = {**os.environ, "MARQUEE_STATE_DIR": str(state)}
    names = ",".join(BESIDE)
    with TemporaryFile() as said:
        lane = subprocess.Popen(
            [sys.executable, "-m", "tests.lane", names, *arguments, "-p", "no:cacheprovider"],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield lane
        finally:
            end(lane)
            _services("stop", environ)
            said.seek(0)
            sys.stdout.write("The lane of faults, which ran beside the others:\n")
            sys.stdout.flush()
            sys.stdout.buffer.write(said.read())
            sys.stdout.flush()


def _services(what: str, environ: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "infra.services", what]
    subprocess.run(command, cwd=ROOT, env=dict(environ), check=False)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main(sys.argv[1:]))
