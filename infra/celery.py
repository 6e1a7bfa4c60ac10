"""What is done on a clock, and by whom?

Beat says when, workers do it (``celery -A infra.celery worker``, ``... beat``).
Never between the log and a read model: that is the projectors' (docs/adr).
"""

import os

from celery import Celery

from infra.config import config

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infra.settings")

_HOUR_SECONDS = 3600.0


def _hourly(task: str) -> dict[str, object]:
    """Once an hour; dropped rather than piled up when no worker was there for an hour."""
    return {"task": task, "schedule": _HOUR_SECONDS, "options": {"expires": _HOUR_SECONDS}}


def _broker() -> str:
    """The bus where there is one, else Redis, by the name that kombu has for its socket."""
    redis = config().redis_url
    return config().bus_url or redis.replace("unix://", "redis+socket://", 1)


app = Celery("marquee", broker=_broker())
app.conf.update(
    imports=("command_api.tasks", "command_api.accounts.tasks", "command_api.sessions.tasks"),
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
            "sessions.sweep",
            "commands.sweep_answers",
        )
    },
)
