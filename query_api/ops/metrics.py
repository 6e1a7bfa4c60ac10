"""Metrics of the query API: those of the process, and the age of every read model."""

from time import time

from django.http import HttpRequest, HttpResponse

from infra import observability
from infra.observability import set_gauge
from projectors.registry import MODELS
from query_api.http.request import live


def metrics(request: HttpRequest) -> HttpResponse:
    for model in MODELS:
        level_at = live().level_at(model.name)
        if level_at is not None:
            set_gauge("marquee_model_age_seconds", max(0.0, time() - level_at), model=model.name)
    return observability.metrics(request)
