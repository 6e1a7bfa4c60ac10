"""Tour steps: the catalogue is filled from a fake TMDb and synchronised while users read.

It is the fake server of infra/fake_tmdb, so nothing leaves this machine.
"""

import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import httpx

from infra.demo.api_client import ApiClient
from infra.demo.reporter import Narration, TourFailed
from infra.platform.processes import Process, run_manage
from infra.platform.topology import Platform

FILMS, PER_SECOND, TRENDING_SECONDS = 600, 40, 5
PATIENCE_SECONDS = 180.0
_TOKEN = "a-read-access-token"  # noqa: S105 - of the fake server
_CELERY = (sys.executable, "-m", "celery", "-A", "infra.celery")
_KINDS = ("trending", "lists", "films")


def sync_with_tmdb(
    platform: Platform, narration: Narration, visitor: ApiClient, directory: Path
) -> None:
    """Run these steps; raises TourFailed at the first that fails."""
    with ExitStack() as stack:
        with narration.step("A fake TMDb server, and Celery's worker and beat over RabbitMQ"):
            tmdb = stack.enter_context(_fake(directory, narration))
            environ = _environ(platform, tmdb)
            celery = _celery(environ, directory)
            for process in celery:
                stack.callback(process.stop)
                process.start()
                narration.say(f"{process.name:<10} process {process.pid}, {process.log}")
        metrics_url = f"http://127.0.0.1:{platform.metrics_ports['command']}/metrics"
        _fill(narration, visitor, environ, tmdb, metrics_url)
        _shuffle(narration, visitor, tmdb)
        _sync_again(narration, environ, celery)


def _fill(
    narration: Narration,
    visitor: ApiClient,
    environ: Mapping[str, str],
    tmdb: str,
    metrics_url: str,
) -> None:
    with narration.step(f"The sync fetches {FILMS} films and the trends while users read"):
        begun, reads = time.monotonic(), list[float]()

        def is_filled() -> bool:
            before = time.perf_counter()
            visitor.read("/v1/movies/1")
            reads.append(time.perf_counter() - before)
            return _is_done(metrics_url)

        _wait(is_filled, "The catalogue was not filled.")
        seconds = time.monotonic() - begun
        counts = httpx.get(f"{tmdb}/fake/counts").json()
        answered = counts["answered"].get("200", 0)
        narration.say(
            f"TMDb answered {answered} requests in {seconds:.0f} s, waits for beat included;"
            f" it allows {PER_SECOND} a second, and refused {counts['refused']}"
        )
        narration.say(f"{len(reads)} cards were read meanwhile, {median(reads) * 1000:.1f} ms each")
        narration.say("sync_catalogue --status:")
        for line in _manage(environ, "sync_catalogue", "--status"):
            narration.say(f"  {line}")


def _shuffle(narration: Narration, visitor: ApiClient, tmdb: str) -> None:
    before = _trending(visitor)
    with narration.step("GET /v1/trending?source=tmdb, before and after TMDb's trends change"):
        narration.items(before)
        httpx.post(f"{tmdb}/fake/shuffle", json={"seed": "demo"}).raise_for_status()
        begun = time.monotonic()
        _wait(lambda: _trending(visitor) not in (before, []), "The board did not change.")
        narration.say(f"{time.monotonic() - begun:.1f} s later, after the next sync:")
        narration.items(_trending(visitor))


def _sync_again(
    narration: Narration, environ: Mapping[str, str], celery: Sequence[Process]
) -> None:
    with narration.step("A second sync of all films: nothing changed, so nothing is appended"):
        for process in celery:
            process.stop()  # so that only the sync below appends
        lines = _manage(environ, "sync_catalogue", "--all")
        for line in lines:
            narration.say(line)
        events = _events(lines)
        if any(events) or not events:
            raise TourFailed(f"{events} events were appended.")


def _events(lines: Sequence[str]) -> list[int]:
    """Events appended by this run of each kind; the line goes on with the total."""
    matches = (re.search(r"ago; .*?events (\d+)", line) for line in lines)
    return [int(match[1]) for match in matches if match]


def _trending(visitor: ApiClient) -> list[str]:
    board = visitor.read("/v1/trending", source="tmdb", limit=5)
    return [f"{item['title']} ({item['year']}), as of {board['as_of']}" for item in board["items"]]


def _is_done(metrics_url: str) -> bool:
    """Whether the jobs that fill the catalogue have completed."""
    metrics = httpx.get(metrics_url).text
    ages = [f'marquee_sync_age_seconds{{kind="{kind}"}}' for kind in _KINDS]
    return all(age in metrics for age in ages) and "marquee_sync_waiting_films 0.0" in metrics


def _wait(condition: Callable[[], bool], otherwise: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > until:
            raise TourFailed(otherwise)
        time.sleep(0.05)


# ---------------------------------------------------------------------------------- processes


@contextmanager
def _fake(directory: Path, narration: Narration) -> Iterator[str]:
    """Run a fake TMDb server; yields its base URL, without ``/3``."""
    options = ("--films", str(FILMS), "--per-second", str(PER_SECOND))
    log = directory / "logs" / "tmdb.log"
    log.unlink(missing_ok=True)
    process = Process("tmdb", (sys.executable, "-m", "infra.fake_tmdb", *options), {}, log)
    process.start()
    try:
        _wait(lambda: "/3" in process.log_tail(1), "The fake TMDb server did not start.")
        narration.say(f"{process.name:<10} process {process.pid}, {process.log_tail(1)}")
        yield process.log_tail(1).removesuffix("/3")
    finally:
        process.stop()


def _environ(platform: Platform, tmdb: str) -> Mapping[str, str]:
    return {
        **platform.environ,
        "MARQUEE_ROLE": "ops",
        "MARQUEE_TMDB_URL": f"{tmdb}/3",
        "MARQUEE_TMDB_TOKEN": _TOKEN,
        "MARQUEE_TMDB_PER_SECOND": str(PER_SECOND),
        "MARQUEE_TMDB_FIRST_FILL": str(FILMS),
        "MARQUEE_TMDB_TRENDING_SECONDS": str(TRENDING_SECONDS),
    }


def _celery(environ: Mapping[str, str], directory: Path) -> Sequence[Process]:
    logs, schedule = directory / "logs", directory / "beat-schedule"
    for old in directory.glob("beat-schedule*"):
        old.unlink()
    worker = (*_CELERY, "worker", "--concurrency", "2", "--loglevel", "warning")
    beat = (*_CELERY, "beat", "--schedule", str(schedule), "--pidfile=", "--max-interval", "1")
    return (
        Process("worker", worker, environ, logs / "worker.log"),
        Process("beat", beat, environ, logs / "beat.log"),
    )


def _manage(environ: Mapping[str, str], *arguments: str) -> Sequence[str]:
    done = run_manage(environ, *arguments, capture_output=True)
    if done.returncode:
        raise TourFailed(f"manage.py {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout.splitlines()
