"""``make faults``: kills every process and server, lets servers refuse writes, and reports."""

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import monotonic, sleep

from rich.console import Console

from benchmarks.write_load.check import check
from benchmarks.write_load.ledger import Ledger
from benchmarks.write_load.sender import Sender
from infra.platform.processes import HOME
from infra.services.errors import DidNotStart
from tests.faults.kill_loop.health import Health
from tests.faults.kill_loop.loop import Loop
from tests.faults.kill_loop.report import Report
from tests.faults.kill_loop.stage import NAME, Stage, stage
from tests.faults.kill_loop.victims import victims

SECONDS = 600
PAUSE_SECONDS = 0.05
MOVIES = 200
PEOPLE = 6
_LOOK_SECONDS = 0.05
_SETTLE_SECONDS = 300
_LEVEL_SECONDS = "300"


def main() -> int:
    """Exit status 1 if anything was lost or done twice, or answered by a 5xx other than 503."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--seconds", type=int, default=SECONDS, metavar="N", help="of killing")
    parser.add_argument("--seed", type=int, default=1896, help="of the order of kills")
    parser.add_argument(
        "--pause",
        type=float,
        default=PAUSE_SECONDS,
        metavar="S",
        help="seconds between two writes of a user",
    )
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # cleans up
    report = run(arguments.seconds, seed=arguments.seed, pause=arguments.pause)
    report.show(Console(width=None if sys.stdout.isatty() else 120))
    return 0 if report.is_right else 1


def run(seconds: float, *, seed: int, pause: float) -> Report:
    """Kill for ``seconds`` and each victim at least once, wait until level, and check."""
    random = Random(seed)
    with ExitStack() as stack:
        running_stage = stack.enter_context(stage(movies=MOVIES))
        directory = Path(stack.enter_context(TemporaryDirectory()))
        health = Health(
            running_stage.platform.command_url, running_stage.platform.query_url, movie=MOVIES
        )
        stack.callback(health.close)
        everyone = victims(
            running_stage.platform, running_stage.services, NAME, random, running_stage.disks
        )
        loop = Loop(everyone, health, random)
        with _under_load(running_stage, directory, pause=pause) as load:
            _kill(running_stage, loop, load, until=monotonic() + seconds)
        health.close()  # read models are never level while the probe writes
        return _look(running_stage, loop, directory, health)


def _kill(
    running_stage: Stage, loop: Loop, load: "subprocess.Popen[bytes]", *, until: float
) -> None:
    while (monotonic() < until or not loop.had_everyone) and load.poll() is None:
        running_stage.supervisor.restart_ended()
        loop.turn()
        sleep(_LOOK_SECONDS)
    while not loop.is_quiet:
        running_stage.supervisor.restart_ended()
        loop.watch()
        sleep(_LOOK_SECONDS)


@contextmanager
def _under_load(
    running_stage: Stage, directory: Path, *, pause: float
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a process that writes, reads and keeps the ledger, until the end of the block."""
    log_path = directory / "load.log"
    with log_path.open("wb") as log:
        load = subprocess.Popen(_load(running_stage, directory, pause), cwd=HOME, stdout=log)
    try:
        while not log_path.stat().st_size:  # it prints once all users are registered
            if load.poll() is not None:
                raise DidNotStart("The load ended before it began, see above.")
            running_stage.supervisor.restart_ended()
            sleep(_LOOK_SECONDS)
        yield load
        load.terminate()  # it ends when the outcome of its last writes is known
        load.wait(_SETTLE_SECONDS)
    finally:
        load.kill()
        load.wait()


def _load(running_stage: Stage, directory: Path, pause: float) -> list[str]:
    return [
        *(sys.executable, "-m", "benchmarks.write_load", "--reads-may-fail"),
        *(
            "--command-url",
            running_stage.platform.command_url,
            "--query-url",
            running_stage.platform.query_url,
        ),
        *("--people", str(PEOPLE), "--movies", str(MOVIES - 1), "--pause", str(pause)),
        *("--ledger", str(directory / "ledger"), "--report", str(directory / "report")),
    ]


def _look(running_stage: Stage, loop: Loop, directory: Path, health: Health) -> Report:
    sys.stdout.write((directory / "load.log").read_text())
    ledger = Ledger.read((directory / "ledger").read_bytes())
    is_level = running_stage.platform.manage("lag", "--wait", _LEVEL_SECONDS) == 0
    tokens = {}
    for person in ledger.people:
        sender = Sender(running_stage.platform.command_url, person.account)
        tokens[person.account.id] = sender.log_in()
        sender.close()
    return Report(
        records=loop.records,
        writes=ledger.writes,
        reads=json.loads((directory / "report").read_text())["reads"][0],
        probe_faults=health.faults,
        check_result=check(ledger, running_stage.platform.query_url, tokens, movies=MOVIES - 1),
        is_level=is_level,
        is_equal=running_stage.platform.manage("verify", "--all") == 0,
    )


if __name__ == "__main__":
    sys.exit(main())
