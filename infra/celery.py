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
_MINUTE_SECONDS = 60.0
_METRICS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"


def _share_metrics() -> None:
    """Let the worker's children count in files of one directory, which the worker adds up.

    Must run before prometheus_client is imported: it reads the variable only then.
    """
    if config().metrics_port and _METRICS_DIRECTORY not in os.environ:
        directory = os.environ[_METRICS_DIRECTORY] = mkdtemp(prefix="marquee-metrics-")
        atexit.register(rmtree, directory, ignore_errors=True)  # Celery's children skip atexit


def _serve_metrics(**_: object) -> None:
    """Serve ``/metrics`` from a thread of the worker; called before it has children."""
    from infra.observability import serve_metrics_of  # noqa: PLC0415 - imports prometheus_client

    if config().metrics_port:
        serve_metrics_of(os.environ[_METRICS_DIRECTORY], config().metrics_port)


_share_metrics()


def _hourly(task: str) -> dict[str, object]:
    """Every hour; expires if no worker takes it within the hour."""
    return {"task": task, "schedule": _HOUR_SECONDS, "options": {"expires": _HOUR_SECONDS}}


def _every_minute(task: str) -> dict[str, object]:
    """Every minute; expires after a minute."""
    return {"task": task, "schedule": _MINUTE_SECONDS, "options": {"expires": _MINUTE_SECONDS}}


def _sync(kind: str, schedule: float | crontab, expires: float) -> dict[str, object]:
    """A sync job with TMDb; expires if no worker takes it in time."""
    return {
        "task": "catalogue.sync",
        "schedule": schedule,
        "args": (kind,),
        "options": {"expires": expires},
    }


def _syncs() -> dict[str, dict[str, object]]:
    """The sync jobs with TMDb, if there is a key for it."""
    if not (config().tmdb_token or config().tmdb_key):
        return {}
    trending = float(config().tmdb_trending_seconds)
    return {
        "sync trending": _sync("trending", trending, trending),
        # With nothing to do it costs one query.
        "sync films": _sync("films", *(min(15.0, trending),) * 2),
        "sync changes": _sync("changes", _HOUR_SECONDS, _HOUR_SECONDS),
        "sync lists": _sync("lists", *(min(60.0, trending),) * 2),
        "sync genres": _sync("genres", 24 * _HOUR_SECONDS, _HOUR_SECONDS),
        "sync oldest": _sync("oldest", crontab(hour="3", minute="0"), _HOUR_SECONDS),
    }


def _broker() -> str:
    """The bus if there is one, else Redis, with kombu's scheme for its socket."""
    redis = config().redis_url
    return config().bus_url or redis.replace("unix://", "redis+socket://", 1)


app = Celery("marquee", broker=_broker())
app.conf.update(
    imports=(
        "command_api.tasks",
        "command_api.accounts.tasks",
        "command_api.sessions.tasks",
        "command_api.erasure.tasks",
        "command_api.sync.tasks",
    ),
    task_default_queue=f"{config().namespace}.tasks",
    task_ignore_result=True,
    task_time_limit=600,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
    beat_schedule_filename=".state/beat-schedule",
    beat_schedule={
        name: _hourly(name)
        for name in (
            "accounts.sweep_reservations",
            "accounts.sweep_mailed_tokens",
            "sessions.sweep",
            "commands.sweep_answers",
            "erasures.recall",
        )
    }
    | {"erasures.sweep": _every_minute("erasures.sweep")}
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
