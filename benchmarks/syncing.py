"""TMDb sync: request rate of a first fill, memory of its worker, idempotence of a second sync.

A Celery worker with beat, as ``make run`` has it, fetches from a fake TMDb in another process. A
second sync then fetches every film again, and must append nothing to the log.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import NamedTuple

import httpx
import msgspec

from benchmarks.append import temporary_log
from benchmarks.measurement import Measurement
from infra.platform.processes import HOME, Process, manage, worker
from infra.services import Addresses, private_redis

FILMS, PER_SECOND = 1_000, 40
GATE = 0.95
GROWTH_GATE = 1.15
"""Memory of the worker at the end, over that after a tenth of the films or a thousand."""
_TOKEN = "a-read-access-token"  # noqa: S105 - of the fake TMDb
_PAUSE_SECONDS = 0.2


class FirstFill(NamedTuple):
    """Requests, duration and worker memory of a first fill."""

    requests: int
    seconds: float
    refused: int
    sizes_mib: Mapping[int, float]
    """Resident memory of the worker, by the number of films fetched."""


class _Progress(NamedTuple):
    requests: int
    films: int
    at: float


def rows(
    servers: Addresses, *, films: int = FILMS, per_second: int = PER_SECOND
) -> Iterable[Measurement]:
    """The rate, the memory, and what a second sync appends."""
    with _stage(servers, films, per_second) as (environ, fake, process):
        filled = _fill(fake, environ, process, films)
        before = _events(environ)
        yield Measurement(
            group="sync",
            name=f"first fill of {films:,} films, requests to TMDb",
            measured=filled.requests / filled.seconds,
            unit="requests/s",
            calibration="what TMDb allows",
            calibrated=per_second,
            gate=GATE,
            note=f"{filled.seconds:.1f} s, {filled.refused} refused, {before:,} events",
        )
        first, *_, last = filled.sizes_mib.values()
        sizes = ", ".join(f"{at:,}: {size:.0f}" for at, size in filled.sizes_mib.items())
        yield Measurement(
            group="sync",
            name="the fill's worker at its end",
            measured=last,
            unit="MiB",
            calibration=f"the same after {min(filled.sizes_mib):,} films",
            calibrated=first,
            gate=GROWTH_GATE,
            sense="at_most",
            note=f"MiB by films: {sizes}",
        )
        process.stop()
        # The first observation of the trending boards is an event, but not one of the second sync.
        _run(manage("sync_catalogue", "--trending"), environ)
        before, start = _events(environ), _progress(fake)
        _run(manage("sync_catalogue", "--all"), environ)
        end = _progress(fake)
        yield Measurement(
            group="sync",
            name="events of a second sync that looks at every film again",
            measured=_events(environ) - before,
            unit="events",
            calibration="films",
            calibrated=films,
            gate=0.0,
            sense="at_most",
            note=f"{end.requests - start.requests:,} requests in {end.at - start.at:.1f} s",
        )


def _fill(fake: str, environ: Mapping[str, str], process: Process, films: int) -> FirstFill:
    """Measure from the first film that is requested to the last."""
    _run([*_celery("call"), "catalogue.sync", "--args", '["lists"]'], environ)
    _wait(lambda: _progress(fake).films > 0, process)
    now = begun = _progress(fake)
    sizes: dict[int, float] = {}
    waiting = sorted({films // 10, *(n for n in (1_000, 5_000) if n < films), films})
    while waiting:
        sleep(_PAUSE_SECONDS)
        assert not process.has_ended(), process.log_tail()  # noqa: S101 - nothing to measure
        now = _progress(fake)
        if now.films >= waiting[0]:
            sizes[waiting.pop(0)] = _resident_mib(process.pid)
    refused = httpx.get(f"{fake}/fake/counts").json()["refused"]
    _wait(lambda: not _waiting(environ), process)
    return FirstFill(now.requests - begun.requests, now.at - begun.at, refused, sizes)


@contextmanager
def _stage(
    servers: Addresses, films: int, per_second: int
) -> Iterator[tuple[Mapping[str, str], str, Process]]:
    """Yield the environment variables, the URL of the fake TMDb, and the worker."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory()))
        # This empty Redis is the broker, too, so no tasks of others are in its queue.
        redis_url = stack.enter_context(private_redis())
        servers = msgspec.structs.replace(servers.on_redis(redis_url), bus="")
        log = stack.enter_context(temporary_log(servers, "marquee_bench_sync"))
        fake = stack.enter_context(_fake(directory, films, per_second))
        environ = {
            **log,
            "MARQUEE_ROLE": "ops",
            "MARQUEE_TMDB_URL": f"{fake}/3",
            "MARQUEE_TMDB_TOKEN": _TOKEN,
            "MARQUEE_TMDB_PER_SECOND": str(per_second),
            "MARQUEE_TMDB_FIRST_FILL": str(films),
        }
        process = Process("worker", worker(directory / "clock"), environ, directory / "worker.log")
        process.start()
        stack.callback(process.stop)
        yield environ, fake, process


@contextmanager
def _fake(directory: Path, films: int, per_second: int) -> Iterator[str]:
    """Run a fake TMDb; yields its URL, without ``/3``."""
    options = ("--films", str(films), "--per-second", str(per_second))
    process = Process(
        "tmdb", (sys.executable, "-m", "infra.fake_tmdb", *options), {}, directory / "tmdb.log"
    )
    process.start()
    try:
        _wait(lambda: "/3" in process.log_tail(1), process)
        yield process.log_tail(1).removesuffix("/3")
    finally:
        process.stop()


def _celery(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-A", "infra.celery", *arguments]


def _run(command: list[str], environ: Mapping[str, str]) -> None:
    subprocess.run(
        command, cwd=HOME, env={**os.environ, **environ}, check=True, stdout=subprocess.DEVNULL
    )


def _progress(fake: str) -> _Progress:
    progress = httpx.get(f"{fake}/fake/progress").json()
    return _Progress(progress["allowed"], progress["films"], monotonic())


def _events(environ: Mapping[str, str]) -> int:
    return _number(environ, "SELECT sum(head) FROM partitions")


def _waiting(environ: Mapping[str, str]) -> int:
    return _number(environ, "SELECT count(*) FROM tmdb_films WHERE wanted_at IS NOT NULL")


def _number(environ: Mapping[str, str], sql: str) -> int:
    result = subprocess.run(
        ["psql", "-qAt", environ["MARQUEE_DATABASE_URL"], "-c", sql],
        check=True,
        capture_output=True,
        text=True,
    )
    return int(result.stdout)


def _resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _wait(condition: Callable[[], bool], process: Process) -> None:
    while not condition():
        assert not process.has_ended(), process.log_tail()  # noqa: S101 - nothing to measure
        sleep(_PAUSE_SECONDS)
