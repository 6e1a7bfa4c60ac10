"""Metrics endpoint of the command side, with the sync's age and queue length."""

from contextlib import suppress

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from command_api.catalogue.models import SyncRun
from command_api.sync import fetch_queue
from infra import observability
from infra.observability import set_gauge


def metrics(request: HttpRequest) -> HttpResponse:
    """This process's metrics, and the sync's if the database answers."""
    with suppress(DatabaseError):
        _measure()
    return observability.metrics(request)


def _measure() -> None:
    now = timezone.now()
    for row in SyncRun.objects.exclude(done_at=None):
        if row.done_at is not None:
            age = (now - row.done_at).total_seconds()
            set_gauge("marquee_sync_age_seconds", age, kind=row.kind)
    set_gauge("marquee_sync_waiting_films", fetch_queue.count_waiting())
