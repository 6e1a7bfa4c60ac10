"""Rebuild rate of read models, and read latency during a rebuild.

The log has a million ratings. No relay and no projector run, so only the rebuild is measured.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import msgspec

from benchmarks.http_load import wrk
from benchmarks.measurement import Measurement
from benchmarks.peak_memory import PeakMemory
from benchmarks.turns import TURNS, spread
from infra.platform.processes import HOME, Process, api, manage
from infra.platform.supervisor import answers
from infra.platform.topology import environment, forget, prepare
from infra.services import Addresses, private_redis
from infra.services.ports import free

IN_REDIS = (
    *("sessions", "movies", "library", "playlists"),
    *("recommendations", "trending", "similarity", "suggestions"),
)
"""All read models except search, whose index is elsewhere."""
FASTEST = "trending"
"""The fastest to rebuild of the models that ratings change."""
LATENCY_GATE = 2.0
MEMORY_GATE_MIB = 400

_FILLED = re.compile(r"events filled in ([0-9.]+) s")
_SECONDS = 3


def rows(servers: Addresses, *, events: int) -> Iterable[Measurement]:
    """Rebuild rate of all models and of one, peak memory, and read latency during a rebuild."""
    with _stage(servers, events) as environ:
        peaks = PeakMemory()
        decoded = [_decoded_per_second(environ)]
        rebuilt = _rebuild(environ, IN_REDIS, peaks)
        decoded.append(_decoded_per_second(environ))
        one = _rebuild(environ, (FASTEST,), peaks)
        decoded.append(_decoded_per_second(environ))
        yield Measurement(
            group="rebuild",
            name=f"all Redis models, {events:,} ratings, with what is built of them",
            measured=events / rebuilt.seconds,
            unit="events/s",
            calibration="one process that reads and decodes the same log",
            calibrated=median(decoded),
            spread=spread(decoded),
            note=(
                f"{rebuilt.seconds:.0f} s in all (to reach: 180), {rebuilt.filled:.0f} s for state"
            ),
        )
        yield Measurement(
            group="rebuild",
            name=f"{FASTEST} alone, state",
            measured=events / one.filled,
            unit="events/s",
            calibration="one process that reads and decodes the same log",
            calibrated=median(decoded),
            spread=spread(decoded),
            note="to reach on a quiet box: 25,000 events/s",
        )
        yield Measurement(
            group="rebuild",
            name="largest process of a rebuild",
            measured=peaks.largest_mib,
            unit="MiB",
            calibration="what it may take",
            calibrated=MEMORY_GATE_MIB,
            gate=1.0,
            sense="at_most",
        )
        yield from _reads(environ)


class _Rebuilt(msgspec.Struct, frozen=True):
    seconds: float
    filled: float


def _rebuild(environ: Mapping[str, str], names: Sequence[str], peaks: PeakMemory) -> _Rebuilt:
    began = monotonic()
    with _running_rebuild(environ, names) as process:
        while process.poll() is None:
            peaks.sample(process.pid)
            sleep(0.2)
        out, _ = process.communicate()
    match = _FILLED.search(out)
    if process.returncode or match is None:
        raise RuntimeError(f"rebuild {' '.join(names)} failed:\n{out}")
    return _Rebuilt(monotonic() - began, float(match[1]))


@contextmanager
def _running_rebuild(
    environ: Mapping[str, str], names: Sequence[str]
) -> "Iterator[subprocess.Popen[str]]":
    with subprocess.Popen(
        manage("rebuild", *names),
        cwd=HOME,
        env={**os.environ, **environ, "MARQUEE_ROLE": "ops"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _decoded_per_second(environ: Mapping[str, str]) -> float:
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.decoding"],
        cwd=HOME,
        env={**os.environ, **environ, "MARQUEE_ROLE": "ops"},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return float(result.stdout)


def _reads(environ: Mapping[str, str]) -> Iterable[Measurement]:
    """Latency of a card and a board, without a rebuild and during one of all models."""
    with _query_api(environ) as url:
        for what, path in (("card", "/v1/movies/1"), ("trending", "/v1/trending?window=week")):
            alone = [_median_us(url + path) for _ in range(TURNS)]
            beside = []
            with _running_rebuild(environ, IN_REDIS) as process:
                while process.poll() is None:
                    beside.append(_median_us(url + path))
            yield Measurement(
                group="rebuild",
                name=f"GET {what} during a rebuild of all Redis models",
                measured=median(beside),
                unit="us median",
                calibration="the same without",
                calibrated=median(alone),
                gate=LATENCY_GATE,
                sense="at_most",
                spread=spread(alone),
                note=f"worst {_SECONDS} s: {max(beside):,.0f} us",
            )


def _median_us(url: str) -> float:
    return wrk(url, connections=1, seconds=_SECONDS, headers={}).median_us


@contextmanager
def _query_api(environ: Mapping[str, str]) -> Iterator[str]:
    port = free()
    with TemporaryDirectory() as directory:
        process = Process(
            name="query",
            command=api(port),
            environ={**environ, "MARQUEE_ROLE": "query", "MARQUEE_THROTTLE": "false"},
            log=Path(directory) / "query.log",
        )
        process.start()
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(answers(f"{url}/health/live"))
            yield url
        finally:
            process.stop()


def _wait(is_so: Callable[[], bool]) -> None:
    deadline = monotonic() + 60
    while not is_so():
        if monotonic() > deadline:
            raise RuntimeError("The query API did not come up.")
        sleep(0.1)


@contextmanager
def _stage(servers: Addresses, events: int) -> Iterator[Mapping[str, str]]:
    """Set up a log with that many ratings and an empty Redis; yields the environment variables."""
    with TemporaryDirectory() as directory, private_redis() as redis_url:
        servers = servers.on_redis(redis_url)
        environ = environment(servers, Path(directory), name="marquee_bench_rebuild", fresh=True)
        prepare(environ, Path(directory), fresh=True)
        try:
            subprocess.run(
                [sys.executable, "-m", "benchmarks.fill_log", "--events", str(events)],
                cwd=HOME,
                env={**os.environ, **environ, "MARQUEE_ROLE": "ops"},
                check=True,
            )
            yield environ
        finally:
            forget(environ)
