"""Metrics of the sync with TMDb: the age of its jobs and the length of its queue."""

from contextlib import suppress

from django.db import DatabaseError
from django.utils import timezone

from command_api.catalogue.models import SyncRun
from command_api.sync import fetch_queue
from infra.observability import set_gauge


def refresh() -> None:
    """Set the gauges, if the database answers."""
    with suppress(DatabaseError):
        _measure()


def _measure() -> None:
    now = timezone.now()
    for row in SyncRun.objects.exclude(done_at=None):
        if row.done_at is not None:
            age = (now - row.done_at).total_seconds()
            set_gauge("marquee_sync_age_seconds", age, kind=row.kind)
    set_gauge("marquee_sync_waiting_films", fetch_queue.count_waiting())
