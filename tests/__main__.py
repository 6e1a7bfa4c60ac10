"""How do all tests run, in the time of the longer of two lanes?

A process has one role, so there is a run for each. Faults kill and empty servers: they have servers
of their own, and so a lane of their own beside the others. Servers that are given are one set, and
then there is one lane.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

ROOT = Path(__file__).resolve().parents[1]
FAULTS = ["tests/faults"]
OTHERS = {
    "command": ["tests/command_api"],
    "query": ["tests/query_api"],
    "ops": ["tests", *(f"--ignore=tests/{n}" for n in ("command_api", "query_api", "faults"))],
}
# Each lane stops servers and starts them again, and meanwhile their ports look free to the other.
PORTS_OF_OTHERS = "20000-25999"
PORTS_OF_FAULTS = "26000-31999"

_TIDY_SECONDS = 120


def main(arguments: Sequence[str]) -> int:
    """Run all; exit status 1 if any run failed, or found no tests."""
    if "MARQUEE_REDIS_URL" in os.environ:
        failed = _run_others(arguments)
        status = _pytest(FAULTS, arguments, os.environ | {"MARQUEE_ROLE": "ops"})
    else:
        os.environ["SERVICES_PORTS"] = PORTS_OF_OTHERS
        _services("start", os.environ)  # or both lanes would install what is missing
        with _faults_beside(arguments) as faults:
            failed = _run_others(arguments)
            status = faults.wait()
    failed += ["faults"] if status else []
    sys.stdout.write(f"Failed: {', '.join(failed)}\n" if failed else "")
    return 1 if failed else 0


def _run_others(arguments: Sequence[str]) -> list[str]:
    return [
        role
        for role, paths in OTHERS.items()
        if _pytest(paths, arguments, os.environ | {"MARQUEE_ROLE": role})
    ]


@contextmanager
def _faults_beside(arguments: Sequence[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """The faults' lane; what it says is shown in the end, however that comes."""
    state = Path(os.environ.get("MARQUEE_STATE_DIR") or ROOT / ".state").absolute() / "faults"
    environ = {
        **os.environ,
        "MARQUEE_STATE_DIR": str(state),
        "MARQUEE_ROLE": "ops",
        "SERVICES_PORTS": PORTS_OF_FAULTS,
    }
    with TemporaryFile() as said:
        lane = subprocess.Popen(
            _command(FAULTS, [*arguments, "-p", "no:cacheprovider"]),
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches it from here, and once
        )
        try:
            yield lane
        finally:
            _end(lane)
            _services("stop", environ)
            said.seek(0)
            sys.stdout.write("The faults' lane, which ran beside the others:\n")
            sys.stdout.flush()
            sys.stdout.buffer.write(said.read())
            sys.stdout.flush()


def _pytest(paths: Sequence[str], arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    command = _command(paths, arguments)
    run = subprocess.Popen(command, cwd=ROOT, env=dict(environ), start_new_session=True)
    try:
        return run.wait()
    finally:
        _end(run)


def _end(run: "subprocess.Popen[bytes]") -> None:
    """Let it tidy up, as after Ctrl-C, if it still runs."""
    if run.poll() is None:
        run.send_signal(signal.SIGINT)
        try:
            run.wait(_TIDY_SECONDS)
        except subprocess.TimeoutExpired:
            run.kill()
            run.wait()


def _command(paths: Sequence[str], arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "pytest", *paths, *arguments]


def _services(what: str, environ: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "infra.services", what]
    subprocess.run(command, cwd=ROOT, env=dict(environ), check=False)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main(sys.argv[1:]))
