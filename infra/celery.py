"""What is done on a clock, and by whom?

Beat says when, workers do it (``celery -A infra.celery worker``, ``... beat``).
Never between the log and a read model: that is the projectors' (docs/adr).
"""

import os
import signal
from threading import Thread
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import worker_init, worker_ready
from celery.worker import state

from infra import celery_metrics
from infra.config import config

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infra.settings")
celery_metrics.count_together()

_HOUR_SECONDS = 3600.0
_MINUTE_SECONDS = 60.0


def _hourly(task: str) -> dict[str, object]:
    """Once an hour; dropped rather than piled up when no worker was there for an hour."""
    return {"task": task, "schedule": _HOUR_SECONDS, "options": {"expires": _HOUR_SECONDS}}


def _every_minute(task: str) -> dict[str, object]:
    """Once a minute, likewise."""
    return {"task": task, "schedule": _MINUTE_SECONDS, "options": {"expires": _MINUTE_SECONDS}}


def _sync(kind: str, schedule: float | crontab, expires: float) -> dict[str, object]:
    """A kind of sync; dropped when its next turn comes before a worker had time for it."""
    return {
        "task": "catalogue.sync",
        "schedule": schedule,
        "args": (kind,),
        "options": {"expires": expires},
    }


def _syncs() -> dict[str, dict[str, object]]:
    """The sync with TMDb, where there is a key for it."""
    if not (config().tmdb_token or config().tmdb_key):
        return {}
    trending = float(config().tmdb_trending_seconds)
    return {
        "sync trending": _sync("trending", trending, trending),
        # Looking and finding nothing to do costs a query.
        "sync films": _sync("films", *(min(15.0, trending),) * 2),
        "sync changes": _sync("changes", _HOUR_SECONDS, _HOUR_SECONDS),
        "sync lists": _sync("lists", *(min(60.0, trending),) * 2),
        "sync genres": _sync("genres", 24 * _HOUR_SECONDS, _HOUR_SECONDS),
        "sync oldest": _sync("oldest", crontab(hour="3", minute="0"), _HOUR_SECONDS),
    }


def _broker() -> str:
    """The bus where there is one, else Redis, by the name that kombu has for its socket."""
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
worker_init.connect(celery_metrics.serve)


def _end_with_its_clock(sender: Any, **_: object) -> None:
    """A worker that is its own beat has it in a process, which it would not miss.

    So it ends when that does, and who keeps it up starts both again.
    """
    if beat := getattr(sender.controller, "beat", None):
        Thread(target=_end_with, args=(beat,), name="clock", daemon=True).start()


def _end_with(beat: Any) -> None:
    beat.join()
    if state.should_stop is None:
        os.kill(os.getpid(), signal.SIGTERM)


worker_ready.connect(_end_with_its_clock, weak=False)
