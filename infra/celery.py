"""Celery app: the schedule of periodic tasks, and metrics of the worker's child processes.

Run as ``celery -A infra.celery worker`` and ``... beat``. Read models are fed by the projectors,
never by tasks (docs/adr).
"""

import atexit
import os
import signal
from shutil import rmtree
from tempfile import mkdtemp
from threading import Thread
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import worker_init, worker_ready
from celery.worker import state

from infra.config import config

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infra.settings")

_HOUR_SECONDS = 3600.0
_METRICS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"


def _share_metrics() -> None:
    """Let the worker's children count in files of one directory, which the worker adds up.

    Must run before prometheus_client is imported: it reads the variable only then.
    """
    if config().metrics_port and _METRICS_DIRECTORY not in os.environ:
        directory = os.environ[_METRICS_DIRECTORY] = mkdtemp(prefix="marquee-metrics-")
        atexit.register(rmtree, directory, ignore_errors=True)  # Celery's children skip atexit


def _serve_metrics(**_: object) -> None:
    """Serve the metrics from a thread of the worker; called before it has children."""
    from infra import metrics_server  # noqa: PLC0415 - imports prometheus_client

    if config().metrics_port:
        metrics_server.serve_sum_of(os.environ[_METRICS_DIRECTORY], config().metrics_port)


_share_metrics()


def _periodic(
    task: str, schedule: float | crontab, *args: str, expires: float
) -> dict[str, object]:
    """A periodic task that expires if no worker takes it in time."""
    return {"task": task, "schedule": schedule, "args": args, "options": {"expires": expires}}


def _syncs() -> dict[str, dict[str, object]]:
    """The sync jobs with TMDb, if there is a key for it."""
    if not (config().tmdb_token or config().tmdb_key):
        return {}
    trending = float(config().tmdb_trending_seconds)
    films, lists = min(15.0, trending), min(60.0, trending)
    schedules: dict[str, tuple[float | crontab, float]] = {
        "trending": (trending, trending),
        "films": (films, films),  # with nothing to do it costs one query
        "changes": (_HOUR_SECONDS, _HOUR_SECONDS),
        "lists": (lists, lists),
        "genres": (24 * _HOUR_SECONDS, _HOUR_SECONDS),
        "oldest": (crontab(hour="3", minute="0"), _HOUR_SECONDS),
    }
    return {
        f"sync {kind}": _periodic("catalogue.sync", schedule, kind, expires=expires)
        for kind, (schedule, expires) in schedules.items()
    }


def _broker() -> str:
    """The bus if there is one, else Redis, with kombu's scheme for its socket."""
    redis = config().redis_url
    return config().bus_url or redis.replace("unix://", "redis+socket://", 1)


app = Celery("marquee", broker=_broker())
app.conf.update(
    imports=("command_api.tasks",),
    task_default_queue=f"{config().namespace}.tasks",
    task_ignore_result=True,
    task_time_limit=600,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
    beat_schedule_filename=".state/beat-schedule",
    beat_schedule={
        name: _periodic(name, seconds, expires=seconds)
        for name, seconds in {
            "accounts.sweep_reservations": _HOUR_SECONDS,
            "accounts.sweep_mailed_tokens": _HOUR_SECONDS,
            "sessions.sweep": _HOUR_SECONDS,
            "commands.sweep_answers": _HOUR_SECONDS,
            "erasures.recall": _HOUR_SECONDS,
            "erasures.sweep": 60.0,
        }.items()
    }
    | _syncs(),
)
worker_init.connect(_serve_metrics)


def _stop_with_beat(sender: Any, **_: object) -> None:
    """Stop a worker when its embedded beat process ends, so that the supervisor restarts both.

    Celery itself does not notice.
    """
    if beat := getattr(sender.controller, "beat", None):
        Thread(target=_wait_for_beat, args=(beat,), name="beat-watch", daemon=True).start()


def _wait_for_beat(beat: Any) -> None:
    beat.join()
    if state.should_stop is None:
        os.kill(os.getpid(), signal.SIGTERM)


worker_ready.connect(_stop_with_beat, weak=False)
